"""Statistics of signals: written when all units are scored, read by what weighs tokens.

RUN/stats/types, signals, signal_histogram and signal_correlation are the same for all policies.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.score.moments import EDGES, Moments, correlate, merge, spread
from pipelines.settings import Job
from pipelines.tokenize.tokens import load_types
from weighting.arrays import Float64s, Int64s
from weighting.contracts.documents import Row, tabulate_rows, write_table
from weighting.contracts.splits import SPLITS, TRAIN
from weighting.contracts.statistics import (
    SIGNAL_CORRELATION,
    SIGNAL_HISTOGRAM,
    SIGNAL_STATS,
    type_stats_schema,
)
from weighting.signals.quantum import QUANTUM
from weighting.signals.registry import SIGNALS, tabulate_types
from weighting.signals.signal import Facts
from weighting.signals.token_types import Types, cut_deciles
from weighting.vocabulary import Vocabulary

MEAN = "mean_"  # before a signal's name: its mean over the tokens of a type


class Statistics(NamedTuple):
    """What weighing knows of the whole corpus."""

    types: Types
    facts: Facts
    stored: list[str]  # the signals in the sidecars


def write_signal_stats(job: Job, vocabulary: Vocabulary) -> None:
    """Write the statistics of a run whose units are all scored."""
    units = [summary.moments for summary in job.work.score]
    splits = {split: merge([moments[split] for moments in units]) for split in SPLITS}
    both = merge(list(splits.values()))
    stats = job.run / "stats"
    rows = [row for split, moments in splits.items() for row in _describe(split, moments)]
    _write(stats / "signals.parquet", rows, SIGNAL_STATS)
    _write(stats / "signal_histogram.parquet", list(_list_bins(both)), SIGNAL_HISTOGRAM)
    _write(stats / "signal_correlation.parquet", list(_list_pairs(both)), SIGNAL_CORRELATION)
    types = _tabulate_types(job, vocabulary)
    write_table(stats / "types.parquet", types, types.schema)


def read_statistics(run: Path, eos_id: int) -> Statistics:
    """Read back what `write_signal_stats` wrote into a run's folder."""
    table = pq.read_table(run / "stats" / "types.parquet")
    counts_V, holders_V = (table[name].to_numpy() for name in ("count_train", "holders"))
    types = Types(counts_V, holders_V, int(counts_V[eos_id]))
    rows = pq.read_table(run / "stats" / "signals.parquet").to_pylist()
    means = {row["signal"]: row["mean"] for row in rows if row["split"] == TRAIN}
    stored = [name.removeprefix(MEAN) for name in table.schema.names if name.startswith(MEAN)]
    return Statistics(types, Facts(means, types.rare_surprisal), stored)


def _describe(split: str, moments: Moments) -> Iterator[Row]:
    """Yield a row (SIGNAL_STATS) for each signal."""
    spreads = spread(moments) if moments.tokens else ()
    for at, name in enumerate(moments.signals):
        signal, mean = SIGNALS[name], moments.sums[at] / moments.tokens
        yield (
            *(name, signal.kind.value, signal.meaning, split, moments.tokens),
            *(mean, float(spreads[at]), moments.low[at], moments.high[at]),
        )


def _list_bins(moments: Moments) -> Iterator[Row]:
    for name, counts in zip(moments.signals, moments.bins, strict=True):
        for low, high, count in zip(EDGES[:-1], EDGES[1:], counts, strict=True):
            if count:
                yield name, float(low), float(high), count


def _list_pairs(moments: Moments) -> Iterator[Row]:
    if not moments.tokens:
        return
    correlations_SxS = correlate(moments)
    for at, name in enumerate(moments.signals):
        for other_at, other in enumerate(moments.signals):
            value = float(correlations_SxS[at, other_at])
            yield name, other, None if np.isnan(value) else value


def _tabulate_types(job: Job, vocabulary: Vocabulary) -> pa.Table:
    """Return one row for each token id (`type_stats_schema`)."""
    counts_3V = job.work.type_counts.load()
    total_V = counts_3V[0] + counts_3V[1]
    tables = tabulate_types(load_types(job, vocabulary.eos_id))
    deciles_V = cut_deciles(counts_3V[0])
    names = next(iter(job.work.score)).stored
    sums_SxV = job.work.type_signals.load() * QUANTUM
    columns: dict[str, Any] = {
        "token_id": np.arange(len(vocabulary.tokens)),
        "token": [token.decode("utf-8", "backslashreplace") for token in vocabulary.tokens],
        "count_train": counts_3V[0],
        "count_validation": counts_3V[1],
        "holders": counts_3V[2],
        "decile": pa.array(deciles_V.astype(np.int32), mask=deciles_V == 0),
        **{name: values_V.astype(np.float64) for name, values_V in tables.items()},
        **{MEAN + name: _average(row, total_V) for name, row in zip(names, sums_SxV, strict=True)},
    }
    return pa.table(columns, schema=type_stats_schema(names))


def _average(sums_V: Float64s, counts_V: Int64s) -> pa.Array:
    return pa.array(sums_V / np.maximum(counts_V, 1), mask=counts_V == 0)


def _write(path: Path, rows: Sequence[Row], schema: pa.Schema) -> None:
    write_table(path, tabulate_rows(rows, schema), schema)
