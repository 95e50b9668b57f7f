"""What the flags of a token say, in words."""

from collections.abc import Mapping, Sequence

from weighting.contracts.reasons import Reason
from weighting.policies.golden import GOLDEN

REASONS: Mapping[Reason, str] = {
    Reason.RARE: "Its type is among the rarest, which together make up 5 % of the tokens.",
    Reason.GOLDEN: "Its context or the training of a model tells it, and it is no noise.",
    Reason.DUPLICATE_SPAN: "It lies in a passage that other documents repeat.",
    Reason.CONTAMINATED: "It lies in an evaluation item.",
    Reason.SPECIAL: "Added by the tokenizing, not part of the text.",
}


def list_meanings(golden: str | None = None) -> dict[str, str]:
    """Return what each flag says by its lower-case name; `golden` is the rule of that flag."""
    told = {str(reason.name).lower(): text for reason, text in REASONS.items()}
    rule = GOLDEN.get(golden or "")
    return told if rule is None else {**told, "golden": rule.meaning}


def word_reasons(names: Sequence[str], golden: str | None = None) -> list[str]:
    """Return what the named flags say, one sentence each."""
    meanings = list_meanings(golden)
    return [meanings[name] for name in names]
