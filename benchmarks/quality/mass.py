"""Where count-based policies put the weight: the mass table of the count family.

python -m benchmarks.quality.mass          a vocabulary of 50,000 types by Zipf-Mandelbrot's law,
                                   f ~ 1 / (rank + 2.7), beside the published figures
python -m benchmarks.quality.mass RUN...   also the train split of runs of assay

Weights are brought to mean 1 over the tokens. Nothing is mixed in, damped or capped.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from weighting.arrays import Int64s
from weighting.contracts.counts import MassTable
from weighting.contracts.manifest import read_manifest
from weighting.policies.count_based import PdlParams
from weighting.policies.effective_sample import tabulate_mass
from weighting.policies.params import PolicyParams
from weighting.policies.registry import tabulate_raw
from weighting.signals.token_types import Types

VOCABULARY = 50_000
TOKENS = 10**9
SHIFT = 2.7  # of the rank; with exponent 1 it gives the published shares and FACE weights
PLAIN = PolicyParams()
FACE_RANKS = {1: 0.0, 2: 0.21, 3: 0.35, 5: 0.52, 10: 0.71, 20: 0.84, 50: 0.93}


class Published(NamedTuple):
    """A row of the published table: effective share, shares of the mass, highest weight."""

    effective: float
    top10: float
    top100: float
    rarest_half: float
    highest: float


DATA = Published(1.0, 0.146, 0.359, 0.072, 1.0)


def decay(alpha: float) -> PolicyParams:
    """Return what PDL is told: an exponent, and no cap."""
    return PolicyParams(own=PdlParams(alpha, cap=1e6))


ARMS: Mapping[str, tuple[str, PolicyParams, Published]] = {
    "data": ("uniform", PLAIN, DATA),
    "FACE": ("face", PLAIN, Published(0.94, 0.064, 0.277, 0.081, 1.13)),
    "PDL .25": ("pdl", decay(0.25), Published(0.69, 0.042, 0.136, 0.17, 2.6)),
    "PDL .5": ("pdl", decay(0.5), Published(0.41, 0.008, 0.038, 0.29, 4.8)),
    "PDL .75": ("pdl", decay(0.75), Published(0.28, 0.001, 0.009, 0.40, 7.1)),
    "PDL 1": ("pdl", decay(1.0), Published(0.21, 0.0, 0.002, 0.49, 9.4)),
    "log 1/f": ("surprisal", PLAIN, Published(0.90, 0.073, 0.225, 0.111, 1.6)),
    "sqrt(1e-4/f)": ("subsample", PLAIN, Published(0.71, 0.020, 0.090, 0.120, 1.7)),
}


def make_counts(tokens: int = TOKENS) -> Int64s:
    """Return the counts of the made-up vocabulary by rank, int64 [VOCABULARY + 1].

    The last type is the end of text, which does not occur.
    """
    share_V = 1.0 / (np.arange(1, VOCABULARY + 1) + SHIFT)
    counts_V = np.rint(tokens * share_V / share_V.sum()).astype(np.int64)
    return np.append(counts_V, 0)


def tabulate(counts_V: Int64s, eos_id: int) -> dict[str, MassTable]:
    """Return the mass table of each arm over the text tokens of V types."""
    types = Types(counts_V, np.minimum(counts_V, 1), 1)
    text_V = counts_V.copy()
    text_V[eos_id] = 0
    tables = {}
    for arm, (name, params, _) in ARMS.items():
        raw_V = tabulate_raw(name, types, eos_id, params)
        weights_V = np.ones(len(text_V)) if raw_V is None else raw_V.astype(np.float64)
        weights_V *= text_V.sum() / (weights_V * text_V).sum()
        mass_V = weights_V * text_V
        zeros = int(text_V[weights_V == 0].sum())
        squares, highest = float((mass_V * weights_V).sum()), float(weights_V[text_V > 0].max())
        tables[arm] = tabulate_mass(text_V, mass_V, squares, zeros, highest)
    return tables


def print_tables(title: str, tables: Mapping[str, MassTable], published: bool) -> None:
    """Print a row an arm; published figures in brackets."""
    table = Table(title=title)
    for column in ("weight", "ESS", "top-10", "top-100", "rarest half", "zeros", "max"):
        table.add_column(column, justify="left" if column == "weight" else "right")
    for arm, mass in tables.items():
        row = (mass.effective_share, mass.top10_mass, mass.top100_mass, mass.rarest_half_mass)
        shares = [f"{row[0]:.2f}", *(f"{share:.1%}" for share in row[1:])]
        cells = [*shares, f"{mass.max_weight:.2f}"]
        if published:
            known = ARMS[arm][2]
            told = [f"{known.effective:.2f}", *(f"{s:.1%}" for s in known[1:4])]
            notes = [*told, f"{known.highest:g}"]
            cells = [f"{cell} ({note})" for cell, note in zip(cells, notes, strict=True)]
        table.add_row(arm, *cells[:-1], f"{mass.zero_tokens:.1%}", cells[-1])
    Console(width=110).print(table)


def read_counts(run: Path) -> tuple[Int64s, int]:
    """Return the train counts of a run by token id, and the id of its end-of-text token."""
    types = pq.read_table(run / "stats" / "types.parquet", columns=["token_id", "count_train"])
    counts_V = types.sort_by("token_id")["count_train"].to_numpy()
    return counts_V, read_manifest(run).tokenizer.eos_id


def main() -> None:
    """Print the table of the made-up vocabulary, and of each run that is named."""
    counts_V = make_counts()
    made_up = tabulate(counts_V, len(counts_V) - 1)
    print_tables("Zipf-Mandelbrot, 50,000 types (published)", made_up, published=True)
    for run in sys.argv[1:]:
        print_tables(run, tabulate(*read_counts(Path(run))), published=False)


if __name__ == "__main__":
    main()
