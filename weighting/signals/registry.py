"""The signals: each gives every token one number, in nats.

Signals of a *type* depend on the token id alone (`weighting.signals.token_types`), those of a
*token* on the ids of its document, those of a *count* on the tokens before it by n-gram counts
(`weighting.signals.ngrams`), those of a *model* on what a language model makes of its text
(`trainer.scoring.scorer`, `weighting.signals.trajectory`). Counts are of the train split.

Installed packages add signals by the entry points `assay.signals` (`weighting.extensions`).
"""

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache

import numpy as np

from weighting.arrays import AnyArray, Float32s, Int64s, Uint32s
from weighting.errors import AssayError
from weighting.extensions import extend
from weighting.signals.quantum import QUANTUM, quantise
from weighting.signals.signal import Derived, Kind, Signal, Source
from weighting.signals.token_types import (
    Types,
    measure_idf,
    measure_residual_idf,
    measure_surprisal,
)


def measure_insight(excess_N: Float32s, entropy_N: Float32s) -> Float32s:
    """Return the geometric mean of excess, where it is above 0, and entropy, float32 [N]."""
    zero = np.float32(0)
    return quantise(np.sqrt(np.maximum(excess_N, zero) * np.maximum(entropy_N, zero)))


SIGNALS: Mapping[str, Signal] = extend(
    "signals",
    {
        "surprisal": Signal(
            Kind.TYPE,
            "-log p(type): how rare it is",
            formula="-log p, one added to every count",
            of_types=measure_surprisal,
        ),
        "idf": Signal(
            Kind.TYPE,
            "-log share of the documents that hold the type",
            formula="log D / df",
            of_types=measure_idf,
        ),
        "residual_idf": Signal(
            Kind.TYPE,
            "idf above that of a type spread evenly: how bursty it is",
            formula="idf less that of a Poisson process of the same count",
            paper="Church and Gale 1995",
            signed=True,
            of_types=measure_residual_idf,
        ),
        "ngram_surprisal": Signal(
            Kind.COUNT,
            "-log p(token | tokens just before), by counts",
            formula="-log p(token | the tokens before)",
            paper="Chen and Goodman 1999, 2.6",
            derived=Derived(
                ("surprisal", "ngram_gain"),
                lambda surprisal_N, gain_N: surprisal_N - gain_N,
                "surprisal - ngram_gain",
            ),
        ),
        "ngram_gain": Signal(
            Kind.COUNT,
            "by how much the tokens just before make it likelier",
            formula="log p(token | the tokens before) - log p(token)",
            paper="Chen and Goodman 1999, 2.6",
            signed=True,
        ),
        "nll": Signal(
            Kind.MODEL,
            "loss under the reference",
            Source.REFERENCE,
            formula="-log p under its last checkpoint",
        ),
        "entropy": Signal(
            Kind.MODEL,
            "entropy of the reference's prediction: its own doubt",
            Source.REFERENCE,
            formula="H(p) of its last checkpoint",
        ),
        "excess": Signal(
            Kind.MODEL,
            "loss of the early checkpoint less that of the last: learnable",
            Source.CHECKPOINTS,
            formula="loss of the oldest checkpoint used less that of the last",
            paper="RHO-LOSS 2206.07137; Rho-1 2404.07965, static",
            signed=True,
        ),
        "change": Signal(
            Kind.MODEL,
            "rise of the line through the losses of all checkpoints",
            Source.CHECKPOINTS,
            formula="rise of the least-squares line through the losses of all of them",
            paper="Rho-1 2404.07965, appendix",
            signed=True,
        ),
        "insight": Signal(
            Kind.MODEL,
            "told to the reference, in doubt, and not to the weaker one",
            Source.CHECKPOINTS,
            formula="sqrt(max(0, excess) entropy): high where both are",
            derived=Derived(
                ("excess", "entropy"),
                measure_insight,
                f"round(sqrt(greatest(excess, 0) * entropy) / {QUANTUM}) * {QUANTUM}",
            ),
        ),
        "context_gain": Signal(
            Kind.MODEL,
            "loss with the nearest tokens only, less that with all",
            Source.SHORT,
            formula="loss with the `short` nearest tokens less that with all",
            paper="LongPPL 2410.23771",
            signed=True,
        ),
        "disagreement": Signal(
            Kind.MODEL,
            "information that the token gives on which of two models is right (BALD)",
            Source.SECOND,
            formula="H(mean of two predictions) - mean of their entropies",
            paper="Houlsby et al. 1112.5745",
        ),
    },
    Signal,
)
ALWAYS = (Source.COUNTS, Source.TOKENS)  # give every run their signals


class Signals(Mapping[str, Float32s]):
    """The signals of N tokens by name, float32 [N]; those of types are looked up when asked for.

    `stored` are those of the sidecar. A name that the run has no values for raises AssayError.
    """

    def __init__(self, types: Types, ids_N: AnyArray, stored: Mapping[str, Float32s]) -> None:
        self._types, self._ids_N, self._stored = types, ids_N, stored

    def __getitem__(self, name: str) -> Float32s:
        """Return the values of a signal."""
        if name in self._stored:
            return self._stored[name]
        if name not in self:
            raise AssayError(f"no signal {name!r} in this run; it has {', '.join(self)}")
        derived = SIGNALS[name].derived
        if derived is not None:
            return derived.combine(*(self[other] for other in derived.of))
        return np.take(tabulate_types(self._types)[name], self._ids_N)

    def __contains__(self, name: object) -> bool:
        """Say whether the run has a signal."""
        return name in list(self)

    def __iter__(self) -> Iterator[str]:
        """Yield the names, in the order of SIGNALS."""
        return iter(list_known(self._stored))

    def __len__(self) -> int:
        """Return the number of signals."""
        return len(list_known(self._stored))


def list_of_types() -> list[str]:
    """Return the signals of types, which every run has."""
    return [name for name, signal in SIGNALS.items() if signal.of_types is not None]


def list_given(sources: Collection[Source]) -> list[str]:
    """Return the stored signals that the sources give."""
    return [
        name for name, signal in SIGNALS.items() if signal.stored and signal.given_by in sources
    ]


def list_known(stored: Collection[str]) -> list[str]:
    """Return the signals that a run has whose sidecar holds `stored`, in the order of SIGNALS."""
    return [name for name in SIGNALS if set(list_origins(name)) <= {*stored, *list_of_types()}]


def list_origins(name: str) -> list[str]:
    """Return the signals, stored or of types, that one is or follows from."""
    derived = SIGNALS[name].derived
    if derived is None:
        return [name]
    return [origin for other in derived.of for origin in list_origins(other)]


def list_stored(names: Collection[str]) -> list[str]:
    """Return the stored signals from which those of `names` follow, in the order of SIGNALS."""
    origins = {origin for name in names for origin in list_origins(name)}
    return [name for name, signal in SIGNALS.items() if signal.stored and name in origins]


@lru_cache(maxsize=8)
def tabulate_types(types: Types) -> Mapping[str, Float32s]:
    """Return the signals of types by name, float32 [V], rounded.

    Raises:
        AssayError: a signal has not one finite number for each type.
    """
    tables = {}
    for name, signal in SIGNALS.items():
        if signal.of_types is not None:
            tables[name] = _round(name, signal.of_types(types), len(types.counts_V), "types")
    return tables


def measure_tokens(ids_N: Uint32s, offsets_D1: Int64s, types: Types) -> dict[str, Float32s]:
    """Return the signals of tokens by name, float32 [N], rounded; see `Signal.of_tokens`.

    Raises:
        AssayError: a signal has not one finite number for each token.
    """
    return {
        name: _round(name, signal.of_tokens(ids_N, offsets_D1, types), len(ids_N), "tokens")
        for name, signal in SIGNALS.items()
        if signal.of_tokens is not None
    }


def _round(name: str, values: AnyArray, size: int, what: str) -> Float32s:
    if np.shape(values) != (size,):
        raise AssayError(f"signal {name} has shape {np.shape(values)}, must be ({size},): {what}")
    if not np.isfinite(values).all():
        at = int(np.argmax(~np.isfinite(values)))
        raise AssayError(f"signal {name} is {values[at]} at {at} of {size} {what}, must be finite")
    return quantise(values)
