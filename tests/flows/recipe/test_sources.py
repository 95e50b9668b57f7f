"""Where recipes come from: presets and files."""

import pytest

from flows.recipe.presets import list_presets
from flows.recipe.problems import RecipeError
from flows.recipe.sources import load_recipe
from weighting.errors import AssayError

PRESETS = ["c4", "fineweb", "gopher", "minimal", "python-docs"]


def test_the_presets():
    assert list_presets() == PRESETS


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_loads_under_its_own_name(name):
    recipe = load_recipe(name)
    assert recipe.name == name
    assert 20 < len(recipe.description.strip().partition("\n")[0]) <= 100  # `recipe show` lists it


def test_a_recipe_must_be_utf8(tmp_path):
    (tmp_path / "r.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(RecipeError, match=r"r\.toml: not UTF-8"):
        load_recipe(str(tmp_path / "r.toml"))


def test_an_unknown_recipe_lists_the_presets():
    with pytest.raises(AssayError, match=", ".join(PRESETS)):
        load_recipe("gofer")
