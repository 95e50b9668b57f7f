"""What policies, damping and flags can be told: each knob declared once, checked when it is made.

`PolicyParams` holds what is told whatever the policy, and the knobs of the policy itself. Recipes
and metadata have both in one flat table: `weighting.policies.registry.read_params` reads it.

The table of signals is looked up when it is needed, not when this is imported: one module of an
installed package may then add both signals and policies.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from weighting.errors import AssayError
from weighting.knobs import check_knobs, knob, list_knobs


@dataclass(frozen=True)
class OwnParams:
    """The knobs of one policy; this one has none. Others are frozen dataclasses derived from it.

    Raises:
        AssayError: a value out of bounds, or an unknown signal.
    """

    def __post_init__(self) -> None:
        """Refuse values that cannot give a weight."""
        from weighting.signals.registry import SIGNALS  # loads packages, which import this module

        for name in self.list_signals():
            if name not in SIGNALS:
                valid = ", ".join(SIGNALS)
                raise AssayError(f"unknown signal {name!r}; valid: {valid}")
        check_knobs(self)

    def list_signals(self) -> tuple[str, ...]:
        """Return the signals that the knobs name."""
        return ()

    def to_dict(self) -> dict[str, Any]:
        """Return the knobs by name."""
        return {name: _copy(getattr(self, name)) for name in list_knobs(self)}


P = TypeVar("P", bound=OwnParams)


@dataclass(frozen=True)
class KeyBounds:
    """What counts as a key token (LongPPL, arXiv 2410.23771)."""

    key_gain: float = knob(2.0, "Key tokens: the context gain they exceed, in nats.")
    key_nll: float = knob(
        2.0, "Key and learnt tokens: the loss they stay below; of ngram, by counts; in nats."
    )


@dataclass(frozen=True)
class GeneralParams:
    """What damping, scaling and flags are told."""

    mix: float | None = knob(
        None,
        "Share of the uniform weight in the final one; by default the policy's own.",
        least=0,
        most=1,
    )
    least_effective: float = knob(
        0.1,
        "Floor of the effective sample size, as a share: mix is raised until it is reached.",
        least=0,
        most=1,
    )
    duplicate: float = knob(
        1.0,
        "A passage that c documents hold weighs c^-duplicate of what it would.",
        least=0,
        most=64,
    )
    contaminated: float = knob(0.0, "Factor on tokens of evaluation items.", least=0, most=1)
    golden: str | None = knob(
        None,
        "Rule of the golden flag: read, key, learnt or ngram; by default the first that signals "
        "allow.",
    )
    golden_gain: float = knob(2.0, "read, learnt, ngram: the least excess or n-gram gain, in nats.")
    golden_share: float = knob(
        0.05,
        "Share of a split's text that is golden at most: the tokens of the highest gain.",
        least=0,
        most=1,
    )


@dataclass(frozen=True)
class PolicyParams(KeyBounds, GeneralParams):
    """What a weighing is told: of every policy, and its own knobs; None: those have defaults.

    Raises:
        AssayError: a value out of bounds.
    """

    own: OwnParams | None = None

    def __post_init__(self) -> None:
        """Refuse values that cannot give a weight."""
        check_knobs(self)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it in one flat table, as it goes into a shard's metadata."""
        own = {} if self.own is None else self.own.to_dict()
        return {**own, **{name: getattr(self, name) for name in GENERAL}}


GENERAL = tuple(list_knobs(PolicyParams))  # read whatever the policy


def make_own(kind: type[P], told: Mapping[str, Any]) -> P:
    """Return the knobs of a policy as told; what it does not read is left out."""
    return kind(**{name: told[name] for name in list_knobs(kind) if name in told})


def _copy(value: Any) -> Any:  # noqa: ANN401 - of a knob
    return dict(value) if isinstance(value, Mapping) else value
