"""Recipes: presets are valid, and errors name the key and what is valid."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.presets import list_presets, load_recipe
from flows.problems import RecipeError
from flows.recipe import NEEDS, Recipe, parse_recipe
from flows.toml import write_toml
from pipelines.bounds import Bounds
from pipelines.records import ReadOptions
from pipelines.rules import FAMILIES, list_rules
from pipelines.settings import (
    ContaminationSettings,
    DedupeSettings,
    EvaluationSet,
    NearSettings,
    PassageSettings,
)
from weighting.errors import AssayError

PRESETS = ["c4", "fineweb", "gopher", "minimal", "python-docs"]
LISTS = ("blocked_domains", "blocked_urls", "hard_words", "soft_words", "banned_subwords")


def write(folder, text):
    path = folder / "recipe.toml"
    path.write_text(text)
    return str(path)


def test_the_presets():
    assert list_presets() == PRESETS


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_loads_under_its_own_name(name):
    recipe = load_recipe(name)
    assert recipe.name == name
    assert 20 < len(recipe.description.strip().partition("\n")[0]) <= 100  # `recipe show` lists it


def test_the_gopher_preset_has_the_published_bounds():
    bounds = load_recipe("gopher").curate_settings().bounds
    quality = FAMILIES["gopher_quality"].rules
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
    quality = FAMILIES["gopher_quality"].rules
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


@pytest.mark.parametrize("name", PRESETS)
def test_a_recipe_shown_reads_back_as_the_same(name, tmp_path):
    recipe = load_recipe(name)
    text = write_toml(recipe)
    assert load_recipe(write(tmp_path, text)) == recipe
    for rule in list_rules():
        shown = f"\n# {rule} = " in text or f"\n# {rule}: no" in text
        assert shown == (rule not in recipe.rules)


def test_every_key_is_shown(tmp_path):
    text = write_toml(load_recipe("minimal"))
    fields = tomllib.loads(text)
    for name, table in Recipe.model_validate({"name": "x"}).model_dump().items():
        if name == "rules" or not isinstance(table, dict):
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
    sidecar = false
    """
    recipe = load_recipe(write(tmp_path, text))
    settings = recipe.curate_settings()
    assert settings.read == ReadOptions("body", "site", True, "trafilatura")
    assert settings.edit.symbol_lines
    assert settings.edit.pii == ("email",)
    assert settings.rules.compat
    assert settings.rules.languages == ("de", "fr")
    assert settings.bounds == {"gopher_words": Bounds(7, None)}
    assert recipe.weigh_settings(1).policy == "uniform"
    assert not recipe.weigh_settings(1).sidecar
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
        (
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
    assert recipe.weigh_settings(10**6).sidecar
    assert not recipe.weigh_settings(10**10).sidecar


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[rules]\ngopher_wrds = {min = 1}",
            "rules.gopher_wrds: unknown rule.*mean gopher_words.*valid: .*gopher_stop_words",
        ),
        (
            "[rules]\ngopher_words = {mn = 1}",
            r"gopher_words\.mn: unknown key, did you mean min\? valid: min, max",
        ),
        ("[rules]\ngopher_words = {min = 2, max = 1}", "rules.gopher_words: min is above max"),
        ("[rules]\ngopher_words = {}", "rules.gopher_words: give min, max or both"),
        ("[rules]\ngopher_words = {min = inf}", "gopher_words.min: must be a finite number, is"),
        ('[rules]\ngopher_words = {min = "1"}', 'gopher_words.min: must be a number, is "1"'),
        ('[weights]\npolicy = "sotf"', "weights: unknown policy 'sotf'; valid: uniform"),
        ("[weights]\nmix = 2.0", "mix is 2.0, must lie in"),
        ("[split]\nvalidation = 1.0", "split.validation: must be less than 1, is 1.0"),
        (
            "[tokeniser]\nvocab_size = 300",
            "tokeniser: unknown key, did you mean tokenizer.*valid: name",
        ),
        ("[tokenizer]\nvocab_size = 100", "vocab_size: must be .*257, is 100"),
        ("[tokenizer]\nvocab_size = 300.5", "vocab_size: must be a whole number, is 300.5"),
        ('[tokenizer]\npath = "no.json"', "tokenizer.path: no such file: .*no.json"),
        ('[clean]\nrepair = "yes"', 'clean.repair: must be true or false, is "yes"'),
        ('[clean]\npii = "email"', 'clean.pii: must be an array, is "email"'),
        (
            '[clean]\npii = ["emial"]',
            "pii.0: unknown kind 'emial', did you mean email.*valid: email, ip",
        ),
        (
            '[read]\nextractor = "resilparse"',
            "unknown extractor 'resilparse', did you mean resiliparse",
        ),
        ("[read]\ntext_field = 3", "read.text_field: must be a string, is 3"),
        ('[rule_options]\nbad_words = "en.txt"', "bad_words: must be a table, is"),
        ('[rule_options]\nhard_words = "no.txt"', "rule_options.hard_words: no such file: .*no"),
        (
            '[rule_options]\nlanguages = ["English"]',
            "languages.0: must be an ISO 639 code such as en",
        ),
        ('[rule_options]\nfamilies = ["c5"]', "families.0: unknown family 'c5'; valid: url"),
        ("read = 3", "read: must be a table, is 3"),
        ("[dedupe]\nexact = false", "dedupe: near copies include the exact ones: set exact = true"),
        ("[dedupe]\njaccard = 0", "dedupe.jaccard: must be greater than 0, is 0"),
        ("[dedupe]\nwords = 0", "dedupe.words: must be greater than or equal to 1, is 0"),
        ("[dedupe]\nbands = 256", "dedupe.bands: must be less than or equal to 255, is 256"),
        ("[dedupe]\nrows = 8.5", "dedupe.rows: must be a whole number, is 8.5"),
        ("[dedupe]\nseed = -1", "dedupe.seed: must be greater than or equal to 0, is -1"),
        ("[dedupe]\nindex = 1", "dedupe.index: must be true or false, is 1"),
        ("[dedupe]\nmemory_mb = 0", "dedupe.memory_mb: must be greater than 0, is 0"),
        (
            "[dedupe]\nmemory = 1",
            "dedupe.memory: unknown key, did you mean memory_mb.*valid: exact, near, jaccard",
        ),
        (
            '[dedupe]\nquality = "gopher_wrds"',
            "dedupe.quality: unknown rule 'gopher_wrds', did you mean gopher_words",
        ),
        (
            '[dedupe]\nquality = "c4_bad_words"',
            "dedupe.quality: cannot be computed; set rule_options.bad_words",
        ),
        (
            '[passages]\naction = "drop"',
            "passages.action: must be 'mark', 'delete' or 'off', is \"drop\"",
        ),
        ("[passages]\nwords = 1", "passages.words: must be greater than or equal to 2, is 1"),
        ("[passages]\nline_chars = 0", "line_chars: must be greater than or equal to 1, is 0"),
        ("[passages]\ndocuments = 1", "documents: must be greater than or equal to 2, is 1"),
        ("[decontaminate]\nwords = 101", "decontaminate.words: must be less than or equal to 100"),
        ("[decontaminate]\nleast_words = 0", "least_words: must be greater than or equal to 1"),
        ("[decontaminate]\nshare = 0", "decontaminate.share: must be greater than 0, is 0"),
        ("[decontaminate]\nanswer = -1", "answer: must be greater than or equal to 0, is -1"),
        (
            "[decontaminate]\nquestion = 0\nanswer = 0",
            "decontaminate: question and answer cannot both weigh nothing",
        ),
        ('[decontaminate]\nsets = "lambada"', "sets: must be an array, is"),
        ('[decontaminate]\nsets = ["lambada"]', "sets.0: must be a table, is"),
        (
            "[rules]\ncontamination = { max = 0.5 }",
            "rules.contamination: cannot be computed; give decontaminate.sets",
        ),
        ("[weights]\nduplicate = -1", "weights: .*duplicate is -1.0, must be ≥ 0"),
        ("[weights]\ncontaminated = 2", r"weights: .*contaminated is 2.0, must lie in \[0, 1\]"),
        ('[weights]\nduplicate = "no"', 'weights.duplicate: must be a number, is "no"'),
    ],
)
def test_errors_name_the_key_on_one_line(tmp_path, text, message):
    with pytest.raises(AssayError, match=message) as caught:
        load_recipe(write(tmp_path, f'name = "x"\n{text}'))
    assert "\n" not in str(caught.value)
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"path": '"no.jsonl"'}, r"sets\.0\.path: no such file: /.*no\.jsonl"),
        ({"question": None}, r"sets\.0\.question: missing"),
        ({"question": "3"}, r"sets\.0\.question: must be a string, is 3"),
        ({"name": '""'}, r"sets\.0\.name: must have at least 1 character"),
        ({"answr": '"b"'}, r"sets\.0\.answr: unknown key, did you mean answer\? valid: name, path"),
        ({"answer": None}, r"sets\.0: label says which answer is right: give answer as well"),
    ],
)
def test_errors_in_a_set_name_its_number_and_key(tmp_path, fields, message):
    (tmp_path / "a.jsonl").write_text('{"q": "?"}\n')
    table = {"name": '"a"', "path": '"a.jsonl"', "question": '"q"', "answer": '"a"', "label": '"l"'}
    given = {key: value for key, value in (table | fields).items() if value is not None}
    lines = [f"{key} = {value}" for key, value in given.items()]
    text = "\n".join(['name = "x"', "[[decontaminate.sets]]", *lines])
    with pytest.raises(RecipeError, match=message) as caught:
        load_recipe(write(tmp_path, text))
    assert "\n" not in str(caught.value)
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize(
    ("text", "message"), [("description = 'x'", "name: missing"), ("name = ", "not TOML")]
)
def test_a_recipe_needs_a_name_and_must_be_toml(tmp_path, text, message):
    with pytest.raises(RecipeError, match=message):
        load_recipe(write(tmp_path, text))


def test_a_recipe_must_be_utf8(tmp_path):
    (tmp_path / "r.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(RecipeError, match=r"r\.toml: not UTF-8"):
        load_recipe(str(tmp_path / "r.toml"))


def test_all_problems_are_kept_and_the_message_is_the_first(tmp_path):
    path = write(tmp_path, 'name = "x"\n[split]\nvalidation = 2\n[reed]\n[clean]\nrepair = 1')
    with pytest.raises(
        RecipeError, match=r"clean.repair.*\(and 2 more: assay recipe check"
    ) as all_:
        load_recipe(path)
    assert [problem.key for problem in all_.value.problems] == [
        "clean.repair", "split.validation", "reed",
    ]  # fmt: skip


@pytest.mark.parametrize("rule", sorted(NEEDS))
def test_a_rule_that_needs_a_list_names_the_key(tmp_path, rule):
    assert rule in list_rules()
    text = f'name = "x"\n[rules]\n{rule} = {{ min = 0 }}\n'
    key = NEEDS[rule]
    with pytest.raises(RecipeError, match=rf"rules\.{rule}: .*set rule_options\.{key}"):
        load_recipe(write(tmp_path, text))
    (tmp_path / "list").write_text("x\n")
    value = '{ en = "list" }' if key == "bad_words" else '"list"'
    recipe = load_recipe(write(tmp_path, f"{text}[rule_options]\n{key} = {value}\n"))
    assert rule in recipe.rules


def test_the_rule_of_quality_must_have_a_value(tmp_path):
    text = 'name = "x"\n[dedupe]\nquality = "length_words"\n[rule_options]\nfamilies = ["c4"]'
    with pytest.raises(RecipeError, match=r"dedupe\.quality: cannot be computed; add 'length' to"):
        load_recipe(write(tmp_path, text))


def test_a_rule_of_a_family_that_is_left_out(tmp_path):
    text = 'name = "x"\n[rule_options]\nfamilies = ["gopher_quality"]\n[rules]\n'
    settings = load_recipe(write(tmp_path, f"{text}gopher_words = {{ min = 1 }}")).curate_settings()
    assert settings.rules.families == ("gopher_quality",)
    with pytest.raises(RecipeError, match=r"length_words: cannot.*add 'length' to rule_options"):
        load_recipe(write(tmp_path, f"{text}length_words = {{ min = 1 }}"))


def test_an_unknown_recipe_lists_the_presets():
    with pytest.raises(AssayError, match=", ".join(PRESETS)):
        load_recipe("gofer")
