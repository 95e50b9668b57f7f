"""A recipe as TOML: every key with its meaning, and it reads back as the same."""

import tomllib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.recipe.presets import list_presets
from flows.recipe.schema import Recipe, parse_recipe
from flows.recipe.sources import load_recipe
from flows.recipe.toml import write_toml
from pipelines.rules.registry import RULES
from tests.flows.recipe.test_schema import write


@pytest.mark.parametrize("name", list_presets())
def test_a_recipe_shown_reads_back_as_the_same(name, tmp_path):
    recipe = load_recipe(name)
    text = write_toml(recipe)
    assert load_recipe(write(tmp_path, text)) == recipe
    for rule in RULES:
        shown = f"\n# {rule} = " in text or f"\n# {rule}: no" in text
        assert shown == (rule not in recipe.rules)


def test_every_key_is_shown(tmp_path):
    text = write_toml(load_recipe("minimal"))
    fields = tomllib.loads(text)
    for name, table in Recipe.model_validate({"name": "x"}).model_dump().items():
        if name in ("rules", "languages") or not isinstance(table, dict):
            continue
        unset = {key for key, value in table.items() if value is None}
        assert fields[name].keys() == table.keys() - unset
        assert all(f"# {key} is not set" in text for key in unset)


@given(
    st.text(st.characters(codec="utf-8")),
    st.text(st.characters(codec="utf-8")),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_any_text_and_number_survives_toml(name, description, bound):
    rules = {"gopher_words": {"max": bound}}
    recipe = parse_recipe({"name": name, "description": description, "rules": rules})
    assert parse_recipe(tomllib.loads(write_toml(recipe))) == recipe


def test_rules_are_shown_with_their_meaning_and_published_bounds():
    text = write_toml(load_recipe("gopher"))
    meaning = RULES["gopher_words"].meaning
    assert f"\ngopher_words = {{ min = 50, max = 100000 }}  # {meaning}\n" in text
    assert "\n# url_soft_words = { max = 1 }  # distinct soft_words among" in text
    assert "\n# length_chars: no published bounds  # characters\n" in text


def test_every_key_of_a_table_of_documents_has_a_meaning():
    lines = write_toml(load_recipe("minimal")).splitlines()
    table = ""
    for before, line in pairwise(lines):
        table = line.strip("[]") if line.startswith("[") else table
        key = line.partition(" = ")[0]
        if table in ("read", "clean", "dedupe", "passages", "tokenizer", "split", "limits") and (
            " = " in line and not line.startswith("#")
        ):
            assert before.startswith("# "), key
