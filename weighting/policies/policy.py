"""What is known of a policy: one record, of which recipes, commands and reports are made."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple

from weighting.arrays import AnyArray, Float32s, Float64s, Int64s, Uint64s
from weighting.errors import AssayError
from weighting.knobs import list_knobs
from weighting.policies.params import P, PolicyParams
from weighting.policies.quantiles import Cut
from weighting.signals.signal import Facts
from weighting.signals.token_types import Types


class Evidence(NamedTuple):
    """What is known of N tokens of one unit and split, and of the corpus."""

    ids_N: AnyArray
    signals: Mapping[str, Float32s]
    types: Types
    facts: Facts
    eos_id: int
    cuts: Mapping[str, Cut]  # over the split, of the signals that `list_ranked` names
    keys_N: Uint64s  # `controls.key_tokens`, where the policy draws by chance; else it may be empty


@dataclass(frozen=True)
class Policy(Generic[P]):
    """How a policy weighs, what it needs to, and what is said of it.

    `of_types` gives float64 [V] from the counts of V types of text, `of_tokens` float32 [N] from
    what is known of N tokens: raw weights, finite and ≥ 0. One of them is set; neither where it
    permutes another policy's weights.

    Raises:
        AssayError: it weighs in two ways, or lacks a knob that what it does takes.
    """

    summary: str  # a few words for reports
    formula: str  # its raw weight, for the docs
    params: type[P]
    paper: str = ""
    of_types: Callable[[Int64s, P], Float64s] | None = None
    of_tokens: Callable[[Evidence, P], Float32s] | None = None
    signals: Sequence[str] = ()  # beside those that its knobs name
    ranked: bool = False  # whether its signals are cut at the knob `share` of the split
    lowest: Sequence[str] = ()  # of these, those whose lowest values count
    draws: bool = False  # whether it draws tokens by chance, which takes the knob `seed`
    mix: float = 0.0  # where params.mix is None

    def __post_init__(self) -> None:
        """Refuse what cannot weigh, and knobs that mean something else for every policy."""
        if self.of_types is not None and self.of_tokens is not None:
            raise AssayError("a policy is of types or of tokens: give one of the two")
        own, general = list_knobs(self.params), list_knobs(PolicyParams)
        for name, wanted in (("share", self.ranked), ("seed", self.draws)):
            if wanted and name not in own:
                raise AssayError(f"{self.params.__name__} has no knob {name}")
        for name in own:
            if name == "policy" or (name in general and own[name][1] != general[name][1]):
                raise AssayError(f"{self.params.__name__}: the knob {name} is taken")
