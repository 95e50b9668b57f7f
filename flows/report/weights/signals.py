"""Signals over the whole corpus: how they are spread, and how they go together."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import duckdb
import numpy as np
from markupsafe import Markup

from flows.report.charts.histograms import Bin, distribution
from flows.report.tokens.scales import LEVELS, Distribution
from weighting.signals.registry import SIGNALS
from weighting.signals.signal import Kind

BINS = 40  # of a small chart, at most
TAIL = 0.001  # of the tokens, left out at either end
NEEDS: Mapping[Kind, str] = {
    Kind.TYPE: "of types",
    Kind.TOKEN: "of tokens",
    Kind.COUNT: "of counts",
    Kind.MODEL: "of the reference",
}


class Spread(NamedTuple):
    """One signal: what it says, what it needs, mean and spread over both splits, and its chart."""

    name: str
    meaning: str
    needs: str
    mean: float
    sd: float
    chart: Markup


class Correlation(NamedTuple):
    """Pearson's r of two signals: as text, as a shade from -LEVELS to LEVELS, and in words."""

    text: str
    level: int
    note: str


def list_spreads(
    connection: duckdb.DuckDBPyConnection, distributions: Mapping[str, Distribution]
) -> list[Spread]:
    """Return every signal of the run, in the order of SIGNALS."""
    rows = connection.execute(
        """
        SELECT
            signal, sum(tokens)::BIGINT,
            sum(tokens * mean) / sum(tokens),
            sqrt(greatest(sum(tokens * (sd * sd + mean * mean)) / sum(tokens)
                - (sum(tokens * mean) / sum(tokens)) ** 2, 0))
        FROM signal_stats WHERE tokens > 0 GROUP BY signal
        """
    ).fetchall()
    return [
        Spread(
            name,
            SIGNALS[name].meaning,
            NEEDS[SIGNALS[name].kind],
            mean,
            sd,
            distribution(name, rebin(distributions[name], tokens), mean),
        )
        for name, tokens, mean, sd in sorted(rows, key=lambda row: _place(row[0]))
        if name in distributions and name in SIGNALS
    ]


def _place(name: str) -> int:
    """Return where a signal stands in SIGNALS; last, where the package that adds it is gone."""
    return [*SIGNALS, name].index(name)


def rebin(spread: Distribution, tokens: int) -> list[Bin]:
    """Return about BINS even bins (low, high, tokens) of a distribution, both tails cut off."""
    step = float(np.diff(spread.values_P)[::2].min())  # of the finest of the bins it is made of
    first, last = math.floor(spread.cut(TAIL) / step), math.ceil(spread.cut(1 - TAIL) / step)
    width = max(1, math.ceil((last - first) / BINS))
    edges = np.arange(first, max(last, first + 1) + width, width) * step
    counts = np.rint(np.diff(spread.rank(edges)) * tokens).astype(int)
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True))


def read_correlations(
    connection: duckdb.DuckDBPyConnection,
) -> list[tuple[str, list[Correlation]]]:
    """Return for each signal its correlation with all, in the order of SIGNALS."""
    found = connection.execute(
        "SELECT signal, other, correlation FROM signal_correlation"
    ).fetchall()
    values = {(name, other): value for name, other, value in found}
    names = [name for name in SIGNALS if (name, name) in values]
    return [
        (name, [_correlate(name, other, values.get((name, other))) for other in names])
        for name in names
    ]


def _correlate(name: str, other: str, value: float | None) -> Correlation:
    if name == other:
        return Correlation("", 0, name)
    if value is None:
        return Correlation("\N{EN DASH}", 0, f"{name} and {other}: one of them never changes")
    text = f"{round(value, 2) + 0.0:.2f}".replace("-", "\N{MINUS SIGN}")
    return Correlation(text, round(value * LEVELS), f"{name} and {other}: r {text}")
