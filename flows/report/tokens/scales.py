"""What colour a value gets, and what a legend says of it.

A scale cuts the line of values into steps; a step is a level of one of the style sheet's two ramps:
-LEVELS to LEVELS around a neutral 0, or 0 to LEVELS + 1 from few to much. A signal of losses is
coloured by its percentile in the corpus, since losses crowd near 0; one that can be negative by its
distance from 0, up to what EXTENT of the corpus stays below.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from weighting.arrays import Float32s, Float64s, Int64s
from weighting.signals.registry import SIGNALS

LEVELS = 6  # shades on either side of a neutral value
OCTAVES = 2.0  # from weight 1 to the last shade, so from 1/4 to 4
PERCENTS = (20, 40, 60, 80, 90, 95, 99)  # from where on a signal of losses has its next shade
EXTENT = 0.98  # of the tokens lie within the shades of a signed signal
WEIGHT = "w"  # the letter of weights, no signal's
LETTERS = ascii_lowercase.replace(WEIGHT, "")


@dataclass(frozen=True, eq=False)
class Distribution:
    """How a signal's values are spread: `shares_P` of the tokens lie below `values_P`, nats."""

    values_P: Float64s
    shares_P: Float64s

    def rank(self, values_N: npt.NDArray[np.floating[Any]]) -> Float64s:
        """Return the share of the corpus's tokens that lie below each value, float64 [N]."""
        return np.asarray(np.interp(values_N, self.values_P, self.shares_P))

    def cut(self, share: float) -> float:
        """Return the value below which a share of the tokens lies."""
        return float(np.interp(share, self.shares_P, self.values_P))


@dataclass(frozen=True)
class Step:
    """One shade of a legend: its level, its label, and in small what else is to be said."""

    level: int
    label: str
    detail: str = ""


@dataclass(frozen=True, eq=False)
class Scale:
    """How one column is coloured.

    `letter` begins the classes of its shades, `lowest` is the level below the first of `cuts`.
    """

    name: str
    letter: str
    meaning: str
    cuts: Float64s
    lowest: int
    steps: Sequence[Step]

    def shade(self, values_N: Float32s) -> Int64s:
        """Return the level of each value, int64 [N]."""
        return np.searchsorted(self.cuts, values_N, side="right") + self.lowest


def read_distributions(connection: duckdb.DuckDBPyConnection) -> dict[str, Distribution]:
    """Return the distribution of every signal that the run has, in the order of SIGNALS."""
    rows = connection.execute(
        "SELECT signal, low, high, tokens FROM signal_histogram WHERE tokens > 0 ORDER BY low"
    ).fetchall()
    bins: dict[str, list[tuple[float, float, int]]] = {}
    for name, *one in rows:
        bins.setdefault(name, []).append((one[0], one[1], one[2]))
    return {name: distribute(bins[name]) for name in SIGNALS if name in bins}


def distribute(bins: Sequence[tuple[float, float, int]]) -> Distribution:
    """Return the distribution of a histogram's (low, high, tokens), ascending, none empty.

    Within a bin the tokens are taken to be spread evenly.
    """
    lows, highs, tokens = (np.array(column, np.float64) for column in zip(*bins, strict=True))
    above = np.cumsum(tokens) / tokens.sum()
    below = np.concatenate([[0.0], above[:-1]])
    return Distribution(np.stack([lows, highs], 1).ravel(), np.stack([below, above], 1).ravel())


def scale_weights() -> Scale:
    """Return the scale of weights: LEVELS even steps on a log scale on either side of 1."""
    levels = range(-LEVELS, LEVELS + 1)
    step = OCTAVES / LEVELS
    return Scale(
        "weight",
        WEIGHT,
        "what the loss of predicting the token is multiplied with; 1 is the mean",
        np.exp2(np.arange(0.5 - LEVELS, LEVELS) * step),
        -LEVELS,
        [Step(level, f"{2 ** (level * step):.2g}") for level in levels],
    )


def scale_signals(distributions: Mapping[str, Distribution]) -> list[Scale]:
    """Return the scales of signals."""
    return [
        (_scale_signed if SIGNALS[name].signed else _scale_ranks)(name, spread)
        for name, spread in distributions.items()
    ]


def _scale_ranks(name: str, spread: Distribution) -> Scale:
    cuts = [spread.cut(percent / 100) for percent in PERCENTS]
    first = Step(0, f"< {PERCENTS[0]} %", f"< {cuts[0]:.2f}")
    rest = (
        Step(level, f"{percent} %", f"{cut:.2f}")
        for level, (percent, cut) in enumerate(zip(PERCENTS, cuts, strict=True), start=1)
    )
    return Scale(name, _letter(name), SIGNALS[name].meaning, np.array(cuts), 0, [first, *rest])


def _scale_signed(name: str, spread: Distribution) -> Scale:
    rest = (1 - EXTENT) / 2
    extent = max(abs(spread.cut(rest)), abs(spread.cut(1 - rest)), 0.01)
    step = float(f"{extent / LEVELS:.2g}")
    cuts = np.arange(0.5 - LEVELS, LEVELS) * step
    steps = [
        Step(level, f"{level * step:+.3g}".replace("-", "\N{MINUS SIGN}"))
        for level in range(-LEVELS, LEVELS + 1)
    ]
    steps[LEVELS] = Step(0, "0")
    return Scale(name, _letter(name), SIGNALS[name].meaning, cuts, -LEVELS, steps)


def _letter(name: str) -> str:
    """Return a letter for each signal, in their order; two where letters run out."""
    round_, at = divmod(list(SIGNALS).index(name), len(LETTERS))
    return LETTERS[at] * (round_ + 1)


def name_classes(scales: Iterable[Scale], columns: Mapping[str, Float32s]) -> list[str]:
    """Return the classes of N tokens: one a column, none where its level is 0.

    Without scales the list is empty.
    """
    shades = [
        [f"{one.letter}{level}" if level else "" for level in one.shade(columns[one.name]).tolist()]
        for one in scales
    ]
    return [" ".join(filter(None, token)) for token in zip(*shades, strict=True)]
