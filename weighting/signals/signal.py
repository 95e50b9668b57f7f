"""What is known of a signal: one record, of which recipes, statistics and reports are made."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from weighting.arrays import AnyArray, Float32s, Float64s, Int64s, Uint32s
from weighting.errors import AssayError
from weighting.signals.token_types import Types

OfTypes = Callable[[Types], Float64s]
OfTokens = Callable[[Uint32s, Int64s, Types], AnyArray]


@dataclass(frozen=True)
class Facts:
    """Corpus-wide numbers that policies and flags measure a token against, in nats."""

    means: Mapping[str, float]  # of each signal over the train split's text tokens
    rare_surprisal: float  # from this surprisal on, a type is rare


class Kind(StrEnum):
    """What a signal depends on."""

    TYPE = "type"  # the token's type alone
    TOKEN = "token"  # the ids of its document
    COUNT = "count"  # the tokens before it, by n-gram counts
    MODEL = "model"  # what a language model makes of its text


class Source(StrEnum):
    """What gives a run a signal that it may lack, as the beginning of "… gives it"."""

    COUNTS = "counting"
    TOKENS = "curating anew"
    REFERENCE = "a reference model"
    CHECKPOINTS = "a reference of two or more checkpoints (reference.checkpoints)"
    SHORT = "a reference with a short context (reference.short)"
    SECOND = "a second model (reference.second)"


@dataclass(frozen=True)
class Derived:
    """How a signal follows from others: by a function of their values, and as an SQL expression."""

    of: Sequence[str]  # their names
    combine: Callable[..., Float32s]  # takes the values of each, float32 [N]
    sql: str  # takes their names


@dataclass(frozen=True)
class Signal:
    """One number for each token, in nats.

    `of_types` gives float64 [V] from what was counted of V types. `of_tokens` gives N numbers from
    the ids (uint32 [N]) and the offsets (int64 [D + 1]) of D documents of a unit, each with its
    end-of-text token last, and the types. All are rounded to multiples of
    `weighting.signals.quantum.QUANTUM`. Signals with neither, that do not follow from others, are
    measured where the n-gram counts and the models are.

    Raises:
        AssayError: it is computed in more than one way, or in a way that is not of its kind.
    """

    kind: Kind
    meaning: str
    given_by: Source = Source.COUNTS
    formula: str = ""  # for the docs
    paper: str = ""
    signed: bool = False  # whether 0 is neutral, and values lie on both sides of it
    of_types: OfTypes | None = None
    of_tokens: OfTokens | None = None
    derived: Derived | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be computed."""
        ways = [way for way in (self.of_types, self.of_tokens, self.derived) if way is not None]
        if len(ways) > 1:
            raise AssayError("a signal is of types, of tokens, or derived: give one of the three")
        if (self.kind is Kind.TYPE) != (self.of_types is not None):
            raise AssayError("a signal of kind type is computed by of_types, and no other is")
        if (self.kind is Kind.TOKEN) != (self.of_tokens is not None):
            raise AssayError("a signal of kind token is computed by of_tokens, and no other is")

    @property
    def stored(self) -> bool:
        """Whether it is in the sidecar; else it is looked up by type, or follows from others."""
        return self.of_types is None and self.derived is None
