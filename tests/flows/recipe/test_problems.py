"""What is wrong with a recipe is told on one line that names the key and what is valid."""

import pytest

from flows.recipe.problems import RecipeError
from flows.recipe.sources import load_recipe
from pipelines.rules.registry import RULES
from tests.flows.recipe.test_schema import write


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
        ("[weights]\nmix = 2.0", "weights.mix: must be from 0 to 1, is 2.0"),
        ("[split]\nvalidation = 1.0", "split.validation: must be less than 1, is 1.0"),
        (
            "[tokeniser]\nvocab_size = 300",
            "tokeniser: unknown key, did you mean tokenizer.*valid: name",
        ),
        ("[tokenizer]\nvocab_size = 100", "vocab_size: must be .*257, is 100"),
        ("[tokenizer]\nvocab_size = 300.5", "vocab_size: must be a whole number, is 300.5"),
        ('[tokenizer]\npath = "no.json"', "tokenizer.path: no such file: .*no.json"),
        (
            '[tokenizer]\nend_of_text = "</s>"',
            "tokenizer: end_of_text is of a tokenizer that path names",
        ),
        (
            '[tokenizer]\npath = "s3://b/t.json"',
            "path: s3://b/t.json: must be a local file",
        ),
        ('[reference]\nmodel = "gs://b/m"', "model: gs://b/m: must be a local file or folder"),
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
        (
            "[weights]\nduplicate = -1",
            "weights.duplicate: must be from 0 to 64, is -1.0",
        ),
        (
            "[weights]\ncontaminated = 2",
            "weights.contaminated: must be from 0 to 1, is 2.0",
        ),
        ('[weights]\nduplicate = "no"', 'weights.duplicate: must be a number, is "no"'),
    ],
)
def test_errors_name_the_key_on_one_line(tmp_path, text, message):
    with pytest.raises(RecipeError, match=message) as caught:
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


def test_all_problems_are_kept_and_the_message_is_the_first(tmp_path):
    path = write(tmp_path, 'name = "x"\n[split]\nvalidation = 2\n[reed]\n[clean]\nrepair = 1')
    with pytest.raises(
        RecipeError, match=r"clean.repair.*\(and 2 more: assay recipe check"
    ) as all_:
        load_recipe(path)
    assert [problem.key for problem in all_.value.problems] == [
        "clean.repair", "split.validation", "reed",
    ]  # fmt: skip


NEEDS = {name: rule.needs for name, rule in RULES.items() if rule.needs}


@pytest.mark.parametrize("rule", sorted(NEEDS))
def test_a_rule_that_needs_a_list_names_the_key(tmp_path, rule):
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
