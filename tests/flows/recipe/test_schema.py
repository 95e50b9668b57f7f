"""Recipes: presets are valid, what is written reaches the jobs, what is shown reads back."""

from pathlib import Path

import pytest

from flows.recipe.problems import RecipeError
from flows.recipe.schema import parse_recipe
from flows.recipe.sources import load_recipe
from flows.recipe.toml import write_toml
from pipelines.readers.records import ReadOptions
from pipelines.rules.bounds import Bounds
from pipelines.rules.registry import FAMILIES
from pipelines.rules.rule import list_bounds
from pipelines.settings import (
    ContaminationSettings,
    DedupeSettings,
    EvaluationSet,
    NearSettings,
    PassageSettings,
    ScoreSettings,
)

LISTS = ("blocked_domains", "blocked_urls", "hard_words", "soft_words", "banned_subwords")


def write(folder, text):
    path = folder / "recipe.toml"
    path.write_text(text)
    return str(path)


def test_the_gopher_preset_has_the_published_bounds():
    bounds = load_recipe("gopher").curate_settings().bounds
    quality = list_bounds(FAMILIES["gopher_quality"].rules)
    assert {rule: bounds[rule] for rule in quality} == quality
    assert bounds["gopher_dup_lines"] == Bounds(None, 0.3)
    assert bounds["gopher_top_2gram"] == Bounds(None, 0.2)
    assert bounds["gopher_dup_10gram"] == Bounds(None, 0.1)
    assert len(bounds) == len(quality) + 13


def test_the_fineweb_preset_has_every_family():
    recipe = load_recipe("fineweb")
    settings = recipe.curate_settings()
    assert settings.read.extractor == "trafilatura"
    assert settings.edit.pii == ("email", "ip")
    assert settings.edit.line_rules
    assert not settings.rules.terminal_punctuation
    assert settings.bounds["language_score"] == Bounds(0.65, None)
    assert settings.bounds["fineweb_dup_line_chars"] == Bounds(None, 0.01)
    assert settings.bounds.items() >= load_recipe("gopher").curate_settings().bounds.items()


def test_the_rules_of_python_docs_stay():
    recipe = load_recipe("python-docs")
    quality = list_bounds(FAMILIES["gopher_quality"].rules)
    moved = {
        "gopher_mean_word_length": Bounds(3, 12),
        "gopher_hashes": Bounds(None, 0.2),
        "gopher_alphabetic": Bounds(0.45, None),
    }
    assert recipe.curate_settings().bounds == {**quality, **moved}
    assert recipe.tokenizer.vocab_size == 4096


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
    source_field = "site"
    html = true
    extractor = "trafilatura"
    [clean]
    symbol_lines = true
    pii = ["email"]
    [rule_options]
    compat = true
    languages = ["de", "fr"]
    [rules]
    gopher_words = { min = 7 }
    [weights]
    policy = "uniform"
    [signals]
    order = 4
    keep = false
    """
    recipe = load_recipe(write(tmp_path, text))
    settings = recipe.curate_settings()
    assert settings.read == ReadOptions("body", "site", True, "trafilatura")
    assert settings.edit.symbol_lines
    assert settings.edit.pii == ("email",)
    assert settings.rules.compat
    assert settings.rules.languages == ("de", "fr")
    assert settings.bounds == {"gopher_words": Bounds(7, None)}
    assert recipe.weigh_settings().policy == "uniform"
    assert recipe.score_settings(1, tmp_path) == ScoreSettings(order=4, keep=False)
    hash(settings.edit)  # lists would not do


def test_paths_start_where_the_recipe_lies(tmp_path):
    (tmp_path / "lists").mkdir()
    for name in ("en.txt", "words.csv"):
        (tmp_path / "lists" / name).write_text("x\n")
    text = """
    name = "x"
    [rule_options]
    bad_words = { en = "lists/en.txt" }
    unigrams = "lists/words.csv"
    """
    recipe = load_recipe(write(tmp_path, text))
    options = recipe.curate_settings().rules
    assert options.bad_words == {"en": str(tmp_path / "lists" / "en.txt")}
    assert options.unigrams == str(tmp_path / "lists" / "words.csv")
    assert dict(recipe.list_files()) == {
        "rule_options.bad_words.en": tmp_path / "lists" / "en.txt",
        "rule_options.unigrams": tmp_path / "lists" / "words.csv",
    }
    (tmp_path / "other").mkdir()
    assert load_recipe(write(tmp_path / "other", write_toml(recipe))) == recipe
    # What a run remembers must open after the lists are gone.
    (tmp_path / "lists" / "en.txt").unlink()
    assert parse_recipe(recipe.model_dump(mode="json")) == recipe


SETS = """
name = "x"
[dedupe]
jaccard = 0.8
quality = "length_words"
memory_mb = 0.5
[passages]
action = "delete"
[weights]
contaminated = 0.25
[[decontaminate.sets]]
name = "one"
path = "items/one.jsonl"
question = "ctx"
answer = "endings"
label = "label"
[[decontaminate.sets]]
name = "the other"
path = "items/two.jsonl"
question = "text"
"""


@pytest.fixture
def with_sets(tmp_path):
    """A recipe with two evaluation sets, whose paths are relative to it."""
    (tmp_path / "items").mkdir()
    for name in ("one", "two"):
        (tmp_path / "items" / f"{name}.jsonl").write_text("{}\n")
    return load_recipe(write(tmp_path, SETS))


def test_dedupe_and_sets_reach_the_jobs(with_sets, tmp_path):
    settings = with_sets.curate_settings()
    assert settings.dedupe == DedupeSettings(
        near=NearSettings(jaccard=0.8),
        passages=PassageSettings(delete=True),
        quality="length_words",
        memory=500_000,
    )
    one, two = str(tmp_path / "items" / "one.jsonl"), str(tmp_path / "items" / "two.jsonl")
    assert settings.contamination == ContaminationSettings(
        sets=(
            EvaluationSet("one", one, "ctx", "endings", "label"),
            EvaluationSet("the other", two, "text"),
        )
    )
    assert with_sets.weights.params().contaminated == 0.25
    assert dict(with_sets.list_files()) == {
        "decontaminate.one": tmp_path / "items" / "one.jsonl",
        "decontaminate.the other": tmp_path / "items" / "two.jsonl",
    }


def test_a_recipe_with_sets_is_shown_on_lines_that_read_back(with_sets, tmp_path):
    text = write_toml(with_sets)
    (line,) = (line for line in text.splitlines() if line.startswith("sets = "))
    assert line.startswith('sets = [{ name = "one", path = "/')
    assert line.endswith(', question = "text" }]')  # of what is not set, nothing
    (tmp_path / "other").mkdir()
    assert load_recipe(write(tmp_path / "other", text)) == with_sets


def test_two_sets_of_one_name_are_refused(with_sets, tmp_path):
    with pytest.raises(RecipeError, match="decontaminate: two sets are named 'one'"):
        load_recipe(write(tmp_path, SETS.replace("the other", "one")))


def test_dedupe_can_be_switched_off_by_parts(tmp_path):
    def load(dedupe, action):
        text = f'name = "x"\n[dedupe]\n{dedupe}\n[passages]\naction = "{action}"\n'
        return load_recipe(write(tmp_path, text)).curate_settings().dedupe

    assert load("exact = false\nnear = false", "off") is None
    copies, passages = load("near = false", "off"), load("exact = false\nnear = false", "mark")
    assert (copies.exact, copies.near, copies.passages) == (True, None, None)
    assert (passages.exact, passages.near, passages.passages) == (False, None, PassageSettings())
    assert load("", "mark") == DedupeSettings(memory=256_000_000)


def test_the_sidecar_is_on_for_small_corpora_only():
    recipe = load_recipe("gopher")
    assert recipe.score_settings(10**6, Path()).keep
    assert not recipe.score_settings(10**10, Path()).keep
