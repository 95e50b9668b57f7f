"""Bounds by language: published ones where they are asked for, a recipe's own before them."""

import tomllib

import pytest

from flows.recipe.language_bounds import list_language_bounds
from flows.recipe.problems import RecipeError
from flows.recipe.sources import load_recipe
from flows.recipe.toml import write_toml
from pipelines.rules.bounds import Bounds
from tests.flows.recipe.test_schema import write

RULES = "[rules]\ngopher_words = { min = 50 }\ngopher_mean_word_length = { min = 3, max = 10 }\n"
OWN = "[languages.th]\ngopher_mean_word_length = { max = 12 }\ngopher_hashes = { max = 1 }\n"
PUBLISHED = '[rule_options]\nlanguage_bounds = "fineweb-2"\n'


def read(tmp_path, text):
    return load_recipe(write(tmp_path, f'name = "x"\n{text}'))


def test_without_a_word_all_languages_have_the_bounds_of_the_recipe(tmp_path):
    assert read(tmp_path, RULES).curate_settings().language_bounds == {}


def test_a_recipe_has_bounds_of_its_own_for_a_language(tmp_path):
    settings = read(tmp_path, RULES + OWN).curate_settings()
    own = {"gopher_mean_word_length": Bounds(None, 12), "gopher_hashes": Bounds(None, 1)}
    assert settings.language_bounds == {"th": own}
    assert settings.bounds.keys() == {"gopher_words", "gopher_mean_word_length"}


def test_published_bounds_are_of_the_rules_that_the_recipe_has(tmp_path):
    bounds = read(tmp_path, PUBLISHED + RULES + OWN).curate_settings().language_bounds
    assert len(bounds) == 173
    assert bounds["zh"] == {"gopher_mean_word_length": Bounds(1, 5)}
    assert bounds["th"]["gopher_mean_word_length"] == Bounds(None, 12)  # its own come first
    assert "en" not in bounds


def test_what_a_manifest_says_of_a_recipe_gives_the_same(tmp_path):
    recipe = read(tmp_path, PUBLISHED + RULES + OWN)
    told = list_language_bounds(recipe.model_dump(mode="json"))
    assert told == recipe.curate_settings().language_bounds
    assert list_language_bounds({}) == {}


def test_a_recipe_with_languages_reads_back_as_the_same(tmp_path):
    recipe = read(tmp_path, PUBLISHED + RULES + OWN)
    text = write_toml(recipe)
    assert tomllib.loads(text)["languages"]["th"]["gopher_hashes"] == {"max": 1}
    assert load_recipe(write(tmp_path, text)) == recipe


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "[languages.tha]\ngopher_words = { min = 1 }",
            "languages.tha: 'tha' is not among the codes of the 176",
        ),
        ("[languages.Thai]\ngopher_words = { min = 1 }", "languages.Thai: must be an ISO 639 code"),
        ("[languages.th]\ngopher_word = { min = 1 }", "did you mean gopher_words?"),
        ("[languages.th]\ngopher_words = { mim = 1 }", "valid: min, max"),
        ("[languages.th]\nc4_bad_words = { max = 0 }", "languages.th.c4_bad_words: cannot be"),
        ('[rule_options]\nlanguages = ["deu"]', "rule_options.languages.0: 'deu' is not among"),
        ('[rule_options]\nlanguage_bounds = "x"', "rule_options.language_bounds: must be"),
    ],
)
def test_what_cannot_be_is_refused_by_its_key(tmp_path, text, problem):
    with pytest.raises(RecipeError) as caught:
        read(tmp_path, text)
    assert problem in str(caught.value.problems[0])
