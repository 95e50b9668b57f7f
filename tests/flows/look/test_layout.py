"""What `assay look` prints, as a page and as JSON, and the recipe that it writes."""

import json

import pytest

from flows.recipe.sources import load_recipe
from tests.flows.invoking import invoke


@pytest.fixture
def corpus(tmp_path):
    rows = [{"content": f"text \x1b number {number}", "n": number} for number in range(5)]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "a.jsonl").write_text(lines + "{broken\n")
    (tmp_path / "b.png").write_bytes(b"\x89PNG")
    return tmp_path


def test_the_page_says_what_is_there_what_is_not_and_what_to_do(corpus):
    page = " ".join(invoke("look", corpus).split())
    assert "1 input of jsonl" in page
    assert "content string 100%" in page
    assert "cannot be read: 5 missing_field, byte 0: no field 'text'" in page
    assert "1 bad_json" in page
    assert "1 file of .png would not be read" in page
    assert f"$ assay look {corpus} --write first.toml" in page


def test_documents_are_shown_harmlessly_where_the_field_is_right(corpus, tmp_path):
    recipe = tmp_path / "mine.toml"
    invoke("look", corpus, "--write", recipe)
    assert load_recipe(str(recipe)).read.text_field == "content"
    page = invoke("look", corpus, "--recipe", recipe, "--documents", 2)
    assert f"--recipe {recipe} --write first.toml" in page
    assert "byte 0, 15 characters: text ␛ number 0" in page
    assert "number 2" not in page


def test_json_holds_the_same(corpus):
    found = json.loads(invoke("look", corpus, "--json").splitlines()[-1])
    [jsonl] = found["formats"]
    assert (jsonl["reader"], jsonl["inputs"]) == ("jsonl", 1)
    assert {field["name"] for field in jsonl["looks"][0]["fields"]} == {"content", "n"}
    assert found["unread"][0]["suffix"] == ".png"
    assert found["suggested"]["read"]["text_field"] == "content"
    assert found["suggested"]["commands"][0].endswith("--write first.toml")


def test_a_preset_needs_no_file(tmp_path):
    (tmp_path / "a.txt").write_text("A short text.")
    found = json.loads(invoke("look", tmp_path, "--json").splitlines()[-1])
    assert found["suggested"]["commands"] == [
        f"assay curate {tmp_path} --recipe minimal --out runs/first"
    ]
