"""Why a token weighs what it weighs: bit flags, one byte a token in the shards."""

from enum import IntFlag


class Reason(IntFlag):
    """Bits of a shard's `reasons` column. Set bits are facts about the token, not its weight."""

    RARE = 1  # its type belongs to the rarest types, which together make up 5 % of the tokens
    GOLDEN = (
        2  # context or training tells it, and it is not noise: `weighting.policies.golden`, by rule
    )
    # 4 is reserved for a screen that holds tokens to be noise: nothing sets it yet.
    DUPLICATE_SPAN = 8  # lies in a passage that other documents repeat
    CONTAMINATED = 16  # lies in an evaluation item
    SPECIAL = 32  # added by the tokenizing, not part of the text


def name_flags(flags: int) -> list[str]:
    """Return the lower-case names of the set bits, lowest first."""
    return [str(reason.name).lower() for reason in Reason if flags & reason]
