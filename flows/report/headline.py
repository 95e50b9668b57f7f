"""The few numbers that a newcomer needs first, each with a name and a sentence that explains it."""

from typing import NamedTuple

from flows.report.figures import NOTHING, show_number, show_percent
from weighting.contracts.counts import MassTable


class Tile(NamedTuple):
    """A number with what it is."""

    label: str
    figure: str
    sentence: str


def list_tiles(mass: MassTable, golden_share: float, golden_meaning: str) -> list[Tile]:
    """Return the tiles of a run; `golden_share` of its tokens are, which means so much."""
    return [
        Tile(
            "A rare token weighs",
            _divide(mass.rarest_half_mass, mass.rarest_half_tokens),
            "The mean weight of all tokens is 1. Rare are those of the rarer half of the "
            f"vocabulary: {show_percent(mass.rarest_half_tokens)} of the tokens, which get "
            f"{show_percent(mass.rarest_half_mass)} of the weight.",
        ),
        Tile(
            "A common token weighs",
            _divide(mass.top100_mass, mass.top100_tokens),
            "Common are those of the 100 commonest entries of the vocabulary: "
            f"{show_percent(mass.top100_tokens)} of the tokens, which get "
            f"{show_percent(mass.top100_mass)} of the weight.",
        ),
        Tile(
            "The weighted text is worth",
            show_percent(mass.effective_share),
            "Training with these weights is as noisy as plain training on so much of the tokens "
            "(the effective sample size). With equal weights it is 100 %.",
        ),
        Tile("Golden tokens", show_percent(golden_share), golden_meaning),
    ]


def _divide(mass: float, tokens: float) -> str:
    """Return the mean weight of tokens with a share of the mass and of all tokens."""
    return show_number(mass / tokens, 2) if tokens else NOTHING
