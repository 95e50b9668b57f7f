"""The few numbers that a newcomer needs first, each with a name and a sentence that explains it."""

from typing import NamedTuple

from flows.report.figures import NOTHING, show_number, show_percent
from weighting.contracts.counts import Funnel, MassTable


class Tile(NamedTuple):
    """A number with what it is."""

    label: str
    figure: str
    sentence: str


def list_tiles(tokens: Funnel, mass: MassTable) -> list[Tile]:
    """Return the tiles of a run, whose `tokens` were read and kept."""
    return [
        Tile(
            "Kept",
            show_percent(tokens.kept / tokens.read if tokens.read else None),
            f"{tokens.kept:,} of the {tokens.read:,} tokens that were read.",
        ),
        Tile(
            "A rare token weighs",
            _divide(mass.rarest_half_mass, mass.rarest_half_tokens),
            "on average; 1 is the mean of all. Rare: of the rarer half of the vocabulary, which is "
            f"{show_percent(mass.rarest_half_tokens)} of the tokens and gets "
            f"{show_percent(mass.rarest_half_mass)} of the weight.",
        ),
        Tile(
            "A common token weighs",
            _divide(mass.top100_mass, mass.top100_tokens),
            "on average. Common: of the 100 commonest entries of the vocabulary, which are "
            f"{show_percent(mass.top100_tokens)} of the tokens and get "
            f"{show_percent(mass.top100_mass)} of the weight.",
        ),
        Tile(
            "Tokens that still count",
            show_percent(mass.effective_share),
            "is the effective sample size: weighted training is as noisy as plain training on that "
            "share of the tokens. All weights equal would be 100 %.",
        ),
    ]


def _divide(mass: float, tokens: float) -> str:
    """Return the mean weight of tokens with a share of the mass and of all tokens."""
    return show_number(mass / tokens, 2) if tokens else NOTHING
