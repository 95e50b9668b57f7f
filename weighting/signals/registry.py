"""Signals: each gives every token one number, in nats unless said otherwise.

Signals of a *type* depend on the token id alone (`weighting.signals.token_types`), those of a
*count* on the tokens before it as well (`weighting.signals.ngrams`), those of a *model* on what a
language model makes of its text (`trainer.scoring.scorer`, `weighting.signals.trajectory`). Counts
are of the train split.

All values are rounded to multiples of QUANTUM (`weighting.signals.quantum`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from weighting.arrays import AnyArray, Float32s
from weighting.errors import AssayError
from weighting.signals.quantum import LIMIT, QUANTUM, quantise
from weighting.signals.token_types import Types

__all__ = [
    "LIMIT",
    "QUANTUM",
    "SIGNALS",
    "Facts",
    "Kind",
    "Signal",
    "Signals",
    "list_known",
    "quantise",
]


class Kind(StrEnum):
    """What a signal needs."""

    TYPE = "type"
    COUNT = "count"
    MODEL = "model"


@dataclass(frozen=True)
class Signal:
    """What a signal needs, and what it says."""

    kind: Kind
    meaning: str
    stored: bool = True  # in the sidecar; else it follows from others


SIGNALS: Mapping[str, Signal] = {
    "surprisal": Signal(Kind.TYPE, "-log p(type): how rare it is", stored=False),
    "idf": Signal(Kind.TYPE, "-log share of the documents that hold the type", stored=False),
    "residual_idf": Signal(
        Kind.TYPE, "idf above that of a type spread evenly: how bursty it is", stored=False
    ),
    "ngram_surprisal": Signal(
        Kind.COUNT, "-log p(token | tokens just before), by counts", stored=False
    ),
    "ngram_gain": Signal(Kind.COUNT, "by how much the tokens just before make it likelier"),
    "nll": Signal(Kind.MODEL, "loss under the reference"),
    "entropy": Signal(Kind.MODEL, "entropy of the reference's prediction: its own doubt"),
    "excess": Signal(Kind.MODEL, "loss of the early checkpoint less that of the last: learnable"),
    "change": Signal(Kind.MODEL, "rise of the line through the losses of all checkpoints"),
    "context_gain": Signal(Kind.MODEL, "loss with the nearest tokens only, less that with all"),
    "disagreement": Signal(
        Kind.MODEL, "information that the token gives on which of two models is right (BALD)"
    ),
}


@dataclass(frozen=True)
class Facts:
    """Corpus-wide numbers that policies and flags measure a token against, in nats."""

    means: Mapping[str, float]  # of each signal over the train split's text tokens
    rare_surprisal: float  # from this surprisal on, a type is rare


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
        if name == "ngram_surprisal" and "ngram_gain" in self._stored:
            return self["surprisal"] - self._stored["ngram_gain"]
        if name in self._types.tables:
            return np.take(self._types.tables[name], self._ids_N)
        raise AssayError(f"no signal {name!r} in this run; it has {', '.join(self)}")

    def __contains__(self, name: object) -> bool:
        """Say whether the run has a signal."""
        return name in list(self)

    def __iter__(self) -> Iterator[str]:
        """Yield the names, in the order of SIGNALS."""
        return iter(list_known(self._stored))

    def __len__(self) -> int:
        """Return the number of signals."""
        return len(list_known(self._stored))


def list_known(stored: Mapping[str, Any] | list[str]) -> list[str]:
    """Return the signals that a run has whose sidecar holds `stored`, in the order of SIGNALS."""
    return [
        name
        for name, signal in SIGNALS.items()
        if name in stored
        or signal.kind is Kind.TYPE
        or (name == "ngram_surprisal" and "ngram_gain" in stored)
    ]
