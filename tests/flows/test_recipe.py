"""Recipes: presets are valid, and errors name the key and what is valid."""

import pytest

from flows.recipe import list_presets, load_recipe, parse_recipe
from pipelines.rules import FAMILIES
from pipelines.rules.bounds import Bounds
from weighting.errors import AssayError


def write(folder, text):
    path = folder / "recipe.toml"
    path.write_text(text)
    return str(path)


def test_every_preset_loads_under_its_own_name():
    assert list_presets() == ["gopher", "minimal", "python-docs"]
    for name in list_presets():
        assert load_recipe(name).name == name


def test_the_gopher_preset_has_the_published_bounds():
    settings = load_recipe("gopher").curate_settings()
    assert settings.bounds == FAMILIES["gopher_quality"].rules


def test_defaults_are_written_out_and_survive_a_round_trip():
    recipe = load_recipe("python-docs")
    fields = recipe.model_dump(mode="json")
    assert fields["weights"]["policy"] == "soft"
    assert fields["limits"]["max_quarantined"] == 0.25
    assert fields["split"]["validation"] == 0.02
    assert parse_recipe(fields) == recipe


def test_a_recipe_of_the_user_reaches_the_jobs(tmp_path):
    text = """
    name = "mine"
    [read]
    text_field = "body"
    [rules]
    gopher_words = { min = 7 }
    [weights]
    policy = "uniform"
    sidecar = false
    """
    recipe = load_recipe(write(tmp_path, text))
    assert recipe.curate_settings().read.text_field == "body"
    assert recipe.curate_settings().bounds == {"gopher_words": Bounds(7, None)}
    assert recipe.weigh_settings(1).policy == "uniform"
    assert not recipe.weigh_settings(1).sidecar


def test_the_sidecar_is_on_for_small_corpora_only():
    recipe = load_recipe("gopher")
    assert recipe.weigh_settings(10**6).sidecar
    assert not recipe.weigh_settings(10**10).sidecar


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('name = "x"\n[rules]\ngopher_wrds = {min = 1}', "gopher_wrds.*valid: gopher_words"),
        (
            'name = "x"\n[weights]\npolicy = "sotf"',
            "weights: unknown policy 'sotf'; valid: uniform",
        ),
        ('name = "x"\n[weights]\nmix = 2.0', "mix is 2.0, must lie in"),
        ('name = "x"\n[split]\nvalidation = 1.0', "split.validation: .*less than 1"),
        ('name = "x"\n[tokeniser]\nvocab_size = 300', "tokeniser: unknown key"),
        ('name = "x"\n[rules]\ngopher_words = {min = 2, max = 1}', "min is above max"),
        ('name = "x"\n[tokenizer]\nvocab_size = 100', "vocab_size: .*257"),
        ("description = 3", "name: Field required"),
        ("name = ", "not TOML"),
    ],
)
def test_errors_name_the_key_on_one_line(tmp_path, text, message):
    with pytest.raises(AssayError, match=message) as caught:
        load_recipe(write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_an_unknown_recipe_lists_the_presets():
    with pytest.raises(AssayError, match="gopher, minimal, python-docs"):
        load_recipe("gofer")
