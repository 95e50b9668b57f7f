"""Count-based weighing of tokens in memory against the memory floor.

python -m benchmarks.speed.weigh [MILLIONS]    tokens of the made-up corpus in millions; default 20

Each arm goes from ids, n-gram gains and marks to normalised weights and reasons, a unit of 2 M
tokens at a time; the sums over the split are known. The floor is what no weighing can do without:
one look-up of a float32 by id, and one write of arrays of the weights' and the reasons' size.
Single-threaded.
"""

import sys
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from benchmarks.interleave import interleave, print_times
from benchmarks.quality.mass import make_counts
from weighting.arrays import Bools, Float32s, Int32s, Int64s, Uint8s, Uint16s
from weighting.policies.normalisation import find_scale, merge_sums, sum_weights
from weighting.policies.params import PolicyParams
from weighting.policies.weighing import (
    Batch,
    Scheme,
    flag_tokens,
    weigh_raw_tokens,
    weigh_tokens,
)
from weighting.signals.quantum import quantise
from weighting.signals.registry import Signals
from weighting.signals.signal import Facts
from weighting.signals.token_types import Types

ROUNDS = 7
UNIT = 2_000_000  # tokens, about 8 MB of text
DOCUMENT = 1_000  # mean length
PASSAGE = 50  # tokens
PARAMS = PolicyParams()
LEAST_GAIN = 2.0  # from which tokens are golden, in nats


class Unit(NamedTuple):
    """What a sidecar holds of a unit's tokens."""

    ids_N: Uint16s
    gain_N: Float32s
    copies_N: Int32s
    contaminated_N: Bools


def make_units(counts_V: Int64s, tokens: int, marked: bool) -> list[Unit]:
    """Draw tokens by their counts; `marked`: a twentieth lies in passages and items."""
    rng = np.random.default_rng(0)
    filled_V = np.cumsum(counts_V) / counts_V.sum()
    units = []
    for start in range(0, tokens, UNIT):
        size = min(UNIT, tokens - start)
        ids_N = np.searchsorted(filled_V, rng.random(size), side="right").astype(np.uint16)
        marks = rng.random(size // PASSAGE + 1) < (0.05 if marked else 0.0)
        marks_N = np.repeat(marks, PASSAGE)[:size]
        gain_N = quantise(rng.normal(0.5, 1.5, size))
        units.append(Unit(ids_N, gain_N, marks_N.astype(np.int32) + 1, marks_N))
    return units


def touch_memory(units: list[Unit], table_V: Float32s, reasons_N: Uint8s) -> None:
    """Look every weight up and write weights and reasons once: the floor."""
    for unit in units:
        weights_N = np.take(table_V, unit.ids_N)
        weights_N.copy()
        reasons_N[: len(weights_N)].copy()


class Weigher:
    """A policy whose sums over the corpus are known."""

    def __init__(self, name: str, types: Types, eos_id: int, units: list[Unit]) -> None:
        means = {"surprisal": 7.0, "ngram_gain": 0.5}
        facts = Facts(means, types.rare_surprisal)
        self.scheme = Scheme(name, PARAMS, "ngram", types, facts, eos_id)
        self.units = units
        sums = [
            sum_weights(*weigh_raw_tokens(self._look_at(one), self.scheme, {})) for one in units
        ]
        self.scale = find_scale(merge_sums(sums), name, PARAMS)

    def weigh(self) -> None:
        """Make weights and reasons of every token."""
        for unit in self.units:
            batch = self._look_at(unit)
            weigh_tokens(batch, self.scheme, {}, self.scale)
            flag_tokens(batch, self.scheme, LEAST_GAIN)

    def _look_at(self, unit: Unit) -> Batch:
        return Batch(
            doc_ids=[],  # no arm draws tokens by chance
            offsets_D1=np.zeros(1, np.int64),
            ids_N=unit.ids_N,
            signals=Signals(self.scheme.types, unit.ids_N, {"ngram_gain": unit.gain_N}),
            copies_N=unit.copies_N,
            contaminated_N=unit.contaminated_N,
        )


def main() -> None:
    """Print times of policies of types and of tokens, with and without marks, over the floor."""
    tokens = int(float(sys.argv[1]) * 1e6) if sys.argv[1:] else 20_000_000
    counts_V = make_counts()
    eos_id = len(counts_V) - 1
    counts_V[eos_id] = counts_V.sum() // DOCUMENT
    types = Types(counts_V, np.minimum(counts_V, counts_V[eos_id]), int(counts_V[eos_id]))
    plain, marked = (make_units(counts_V, tokens, marks) for marks in (False, True))
    table_V = types.surprisal_V
    arms: dict[str, Callable[[], object]] = {
        "floor": partial(touch_memory, plain, table_V, np.zeros(UNIT, np.uint8)),
        "pdl": Weigher("pdl", types, eos_id, plain).weigh,
        "soft": Weigher("soft", types, eos_id, plain).weigh,
        "pdl, marked": Weigher("pdl", types, eos_id, marked).weigh,
        "soft, marked": Weigher("soft", types, eos_id, marked).weigh,
    }
    times = interleave(arms, ROUNDS)
    print_times(f"{tokens / 1e6:g} M tokens in memory", times, base="floor")


if __name__ == "__main__":
    main()
