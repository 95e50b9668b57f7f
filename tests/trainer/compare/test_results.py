"""Results of an ablation, from the file and back, and as the command prints them."""

import pytest

from tests.flows.ablations import make_results, write_ablation
from tests.trainer.records import make_result
from trainer.cli import main
from trainer.compare.results import METRICS, read_results
from trainer.run.result import RESULT
from weighting.errors import AssayError
from weighting.storage.files import read_json
from weighting.storage.json_records import write_record


def test_results_come_back_as_they_were_written(tmp_path):
    folder = write_ablation(tmp_path)
    results = read_results(folder)
    assert results == make_results()
    assert (results.baseline, results.tokens) == ("plain", 4096)
    pair = results.find_pair("weighted", "plain")
    assert pair is not None
    assert pair.primary is not None
    assert pair.primary.values == pytest.approx((-0.1, -0.2))
    assert results.find_pair("plain", "weighted") is None
    plain = results.find_arm("plain")
    assert [metric for metric in METRICS if plain.find(metric)] == [
        "validation_nll", "tokens_per_second",
    ]  # fmt: skip


def test_the_file_has_arms_in_the_users_order(tmp_path):
    content = read_json(write_ablation(tmp_path) / "results.json")
    assert [arm["name"] for arm in content["arms"]] == ["plain", "weighted"]
    assert content["plan_sha256"] == make_results().plan.sha256


def test_an_ablation_that_is_not_finished_is_named(tmp_path):
    with pytest.raises(AssayError, match=r"results\.json: no such file"):
        read_results(tmp_path)


def test_results_of_an_older_format_say_what_to_do(tmp_path):
    folder = write_ablation(tmp_path)
    (folder / "results.json").write_text('{"arms": {}}')
    with pytest.raises(AssayError, match="no results of format 2; run the same `trainer ablate`"):
        read_results(folder)


@pytest.mark.parametrize(
    ("form", "start"),
    [
        ("table", "4 runs, 4,096 tokens a run"),
        ("csv", "arm,against,metric,mean"),
        ("markdown", "4 runs, 4,096 tokens a run"),
        ("latex", "% \\usepackage{booktabs}"),
        ("json", '{"plan": {'),
    ],
)
def test_the_command_prints_a_finished_ablation(form, start, tmp_path, capsys):
    folder = write_ablation(tmp_path)
    assert main(["results", str(folder), "--format", form]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith(start)
    assert captured.err == ""


def test_the_command_prints_one_run(tmp_path, capsys):
    write_record(tmp_path / "run" / RESULT, make_result(3, 2.5))
    assert main(["results", str(tmp_path / "run")]) == 0
    assert "1 run, 100 tokens a run" in capsys.readouterr().out


def test_the_command_says_what_is_missing(tmp_path, capsys):
    folder = write_ablation(tmp_path)
    (folder / "results.json").unlink()
    assert main(["results", str(folder)]) == 0
    captured = capsys.readouterr()
    assert captured.err == "trainer: 4 of 4 runs have no result\n"
    assert "not finished: step 100 of 1000" in captured.out


def test_the_command_refuses_what_it_does_not_know(tmp_path, capsys):
    assert main(["results", str(tmp_path)]) == 2
    assert main(["results", str(tmp_path), "--format", "html"]) == 2
    assert "invalid choice: 'html'" in capsys.readouterr().err


def test_a_narrow_terminal_gets_fewer_columns_and_whole_numbers(tmp_path, capsys, monkeypatch):
    folder = write_ablation(tmp_path)
    monkeypatch.setenv("COLUMNS", "30")
    assert main(["results", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "-0.15 ± 0.64" in "".join(lines)
    assert max(len(line) for line in lines if " " in line.strip()) <= 30
