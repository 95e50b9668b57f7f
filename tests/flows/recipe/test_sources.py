"""Where recipes come from: presets and files."""

import pytest

from flows.recipe.presets import list_presets
from flows.recipe.problems import RecipeError
from flows.recipe.sources import load_recipe, read_with
from weighting.errors import AssayError

PRESETS = ["c4", "fineweb", "fineweb-2", "gopher", "minimal", "python-docs"]


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


def write_recipe(folder, read):
    path = folder / "r.toml"
    path.write_text(f'name = "r"\n[read]\n{read}\n')
    return str(path)


def test_how_records_are_read_is_checked(tmp_path):
    path = write_recipe(tmp_path, 'format = "csv"\nfields = ["url", "meta.lang"]')
    options = load_recipe(path).read
    assert (options.format, options.fields) == ("csv", ("url", "meta.lang"))
    assert load_recipe(write_recipe(tmp_path, "fields = []")).read.fields == ()
    assert load_recipe("minimal").read.fields is None
    with pytest.raises(RecipeError, match=r"unknown format 'cvs', did you mean csv\? valid: jsonl"):
        load_recipe(write_recipe(tmp_path, 'format = "cvs"'))
    with pytest.raises(RecipeError, match="text_field must name a field"):
        load_recipe(write_recipe(tmp_path, 'text_field = ""'))


def test_a_format_of_the_command_line_replaces_the_recipes(tmp_path):
    recipe = load_recipe(write_recipe(tmp_path, 'format = "csv"\ntext_field = "body"'))
    assert read_with(recipe, None) is recipe
    chosen = read_with(recipe, "jsonl")
    assert (chosen.read.format, chosen.read.text_field) == ("jsonl", "body")
    with pytest.raises(AssayError, match=r"huggingface: no reader of files .* valid: jsonl, text"):
        read_with(recipe, "huggingface")


def test_a_recipe_may_begin_with_a_byte_order_mark(tmp_path):
    (tmp_path / "r.toml").write_bytes(b'\xef\xbb\xbfname = "r"\n')
    assert load_recipe(str(tmp_path / "r.toml")).name == "r"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (
            "name = \u201dr\u201d",
            r"line 1.*; what stands there is U\+201D RIGHT DOUBLE QUOTATION MARK",
        ),
        ('\nname\u00a0= "r"', r"line 2.*; what stands there is U\+00A0 NO-BREAK SPACE"),
        ("name = r", r"not TOML \(Invalid value \(at line 1, column 8\)\)$"),
        ("name =", r"not TOML \([^)]*\)\)?$"),
    ],
)
def test_a_character_that_looks_like_one_of_toml_is_named(tmp_path, text, named):
    (tmp_path / "r.toml").write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match=named):
        load_recipe(str(tmp_path / "r.toml"))
