"""`--json`: one object on standard output, whatever happens; the rest on standard error."""

import json

import pytest
from typer.testing import CliRunner

from flows.commands.app import app
from flows.operations.output import describe_run, telling
from tests.flows.runs import build_run
from weighting.errors import AssayError


def test_facts_become_one_object_and_words_go_elsewhere(capsys):
    with telling(True) as output:
        output.console.print("for people")
        output.facts["kept"] = 3
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {"kept": 3}
    assert shown.out.count("\n") == 1
    assert shown.err == "for people\n"


def test_without_it_words_are_all_there_is(capsys):
    with telling(False) as output:
        output.console.print("for people")
        output.facts["kept"] = 3
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("for people\n", "")


@pytest.mark.parametrize(
    ("error", "told", "code"),
    [(AssayError("a\nb"), "a b", 2), (ValueError("odd"), "ValueError: odd", 1)],
)
def test_an_error_stands_beside_what_was_found(capsys, error, told, code):
    def fail():
        with telling(True) as output:
            output.facts["files"] = 9
            raise error

    with pytest.raises(type(error)):
        fail()
    assert json.loads(capsys.readouterr().out) == {"files": 9, "error": told, "exit_code": code}


def test_a_run_is_told_with_counts_seconds_and_paths(tmp_path):
    run = build_run(tmp_path / "run")
    (run / "report.html").touch()
    told = json.loads(json.dumps(describe_run(run), allow_nan=False))
    assert told["run"] == str(run)
    assert told["documents"]["records"]["read"] == 8
    assert set(told["documents"]["rules"]) == {"few_words"}  # the others cost nothing
    assert told["weights"]["splits"]["train"]["tokens"] == 102
    assert "histogram" not in told["weights"]["splits"]["train"]
    assert told["report"] == str(run / "report.html")
    assert "database" not in told
    assert list(told["stages"]) == ["curate", "tokenizer", "score"]
    curate = told["stages"]["curate"]
    assert (curate["attempts"], curate["seconds"], curate["mb_per_second"]) == (2, 4.0, 1.5)
    assert told["peak_memory"] == 300_000_000
    assert told["peak_disk"] == 70_000_000


def call(*words):
    """Run a command with --json; return its object and its exit code or error's."""
    result = CliRunner().invoke(app, [*map(str, words), "--json"])
    code = getattr(result.exception, "exit_code", result.exit_code)
    return json.loads(result.stdout), code


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return build_run(tmp_path_factory.mktemp("output") / "run")


def test_a_query_gives_its_rows_or_says_what_is_wrong(run):
    told, code = call("query", run, "SELECT stage, attempts FROM stages LIMIT 1")
    assert (told["rows"], code) == ([{"stage": "curate", "attempts": 2}], 0)
    told, code = call("query", run, "SELECT 1 AS a, 2 AS a")
    assert (told["error"].partition(";")[0], code) == ("column a stands twice in the result", 2)
    told, code = call("query", run, "SELECT 1", "--format", "csv")
    assert (code, "leave out --format" in told["error"]) == (2, True)


def test_a_story_is_one_object(run):
    told, code = call("explain", run, "no such document")
    assert (code, told["exit_code"]) == (2, 2)


def test_recipes_are_told(tmp_path):
    told, _ = call("recipe", "show")
    assert "gopher" in told["presets"]
    told, _ = call("recipe", "show", "minimal")
    assert told["recipe"]["name"] == "minimal"
    told, code = call("recipe", "check", "gopher")
    assert (told["valid"], told["recipe"], code) == (True, "gopher", 0)
    (tmp_path / "bad.toml").write_text('name = "x"\n[tokenizer]\nvocab = 3\n')
    told, code = call("recipe", "check", tmp_path / "bad.toml")
    assert (told["valid"], told["exit_code"], code) == (False, 2, 2)
    assert told["problems"][0].startswith("tokenizer.vocab: unknown key")
