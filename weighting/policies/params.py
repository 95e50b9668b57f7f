"""The parameters of policies, damping and flags: one flat dataclass, checked when it is made."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from weighting.errors import AssayError
from weighting.signals.registry import SIGNALS

BOUNDS: Mapping[str, tuple[float, float]] = {
    "dials": (-16.0, 16.0),
    "cap": (1.0, 1e6),
    "alpha": (0.0, 4.0),
    "longce_cap": (1.0, 1e6),
    "mix": (0.0, 1.0),
    "least_effective": (0.0, 1.0),
    "duplicate": (0.0, 64.0),
    "contaminated": (0.0, 1.0),
}
POSITIVE = ("threshold", "shift", "share")


@dataclass(frozen=True)
class PolicyParams:
    """What policies, damping and flags can be told; `Policy.reads` says who reads what.

    Raises:
        AssayError: a value that cannot give a weight, or an unknown signal.
    """

    dials: Mapping[str, float] = field(  # soft: exponent of each signal
        default_factory=lambda: {"surprisal": 0.25, "ngram_gain": 0.10}
    )
    cap: float = 8.0  # soft: raw within [1/cap, cap] of a neutral token; pdl: most, in means
    alpha: float = 0.25  # pdl: exponent of the frequency
    threshold: float = 1e-4  # subsample: frequency from which on a type weighs less
    longce_cap: float = 5.0  # long_ce: most
    shift: float = 1.0  # ppmi, npmi: probability ratio from which on a token weighs
    key_gain: float = 2.0  # key tokens: context gain above, nats (LongPPL's alpha)
    key_nll: float = 2.0  # key and learnt tokens: loss below, nats (LongPPL's -beta)
    signal: str = "excess"  # top_k: what tokens are ranked by, highest first
    share: float = 0.6  # top_k, intersection, random: of the tokens
    of: str = "soft"  # shuffled: the policy whose weights are permuted
    seed: int = 0  # random, shuffled
    mix: float | None = None  # share of the uniform weight; None: the policy's own default
    least_effective: float = 0.1  # effective share of the sample, for which mix is raised
    duplicate: float = 1.0  # a passage that c documents hold weighs c^-duplicate of what it would
    contaminated: float = 0.0  # factor on tokens of evaluation items
    golden: str | None = None  # rule of the golden flag; None: the best that the signals allow
    golden_gain: float = 2.0  # golden flag: n-gram gain or excess from which on, nats

    def __post_init__(self) -> None:
        """Refuse values that cannot give a weight."""
        for name in (self.signal, *self.dials):
            if name not in SIGNALS:
                raise AssayError(f"unknown signal {name!r}; valid: {', '.join(SIGNALS)}")
        for item in fields(self):
            _check_number(item.name, getattr(self, item.name))
        for name, dial in self.dials.items():
            _check_number(f"dials.{name}", dial)
        if self.share > 1:
            raise AssayError(f"policy parameter share is {self.share}, must be in (0, 1]")

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as they go into a shard's metadata."""
        return asdict(self)


def _check_number(name: str, value: object) -> None:
    if not isinstance(value, int | float):
        return
    if not math.isfinite(value):
        raise AssayError(f"policy parameter {name} is {value}, must be finite")
    low, high = BOUNDS.get(name.split(".")[0], (-math.inf, math.inf))
    if not low <= value <= high:
        raise AssayError(f"policy parameter {name} is {value}, must be in [{low:g}, {high:g}]")
    if name in POSITIVE and value <= 0:
        raise AssayError(f"policy parameter {name} is {value}, must be above 0")
