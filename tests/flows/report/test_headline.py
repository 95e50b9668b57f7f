"""The tiles at the top: mean weights of rare and of common tokens."""

from flows.report.headline import list_tiles
from weighting.contracts.counts import MassTable

MASS = MassTable(
    effective_share=0.8,
    top10_tokens=0.2,
    top10_mass=0.1,
    top100_tokens=0.5,
    top100_mass=0.25,
    rarest_half_tokens=0.1,
    rarest_half_mass=0.15,
    zero_tokens=0.0,
    max_weight=3.0,
)


def test_a_tile_has_a_number_and_says_what_it_is():
    tiles = {tile.label: tile for tile in list_tiles(MASS, 0.05, "Told by the words before.")}
    assert tiles["A rare token weighs"].figure == "1.50"
    assert "10.0 % of the tokens, which get 15.0 %" in tiles["A rare token weighs"].sentence
    assert tiles["A common token weighs"].figure == "0.50"
    assert tiles["The weighted text is worth"].figure == "80.0 %"
    assert tiles["Golden tokens"] == ("Golden tokens", "5.0 %", "Told by the words before.")


def test_a_run_without_tokens_has_no_mean():
    bare = MassTable(**dict.fromkeys(MassTable.__dataclass_fields__, 0.0))
    assert [tile.figure for tile in list_tiles(bare, 0.0, "")] == ["–", "–", "0.0 %", "0.0 %"]
