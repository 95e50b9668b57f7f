"""`--json`: one object on standard output, whatever happens; the rest on standard error."""

import json

import pytest

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
