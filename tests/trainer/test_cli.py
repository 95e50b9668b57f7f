"""The command: every field a flag, every error one line and exit code 2 (test_bad_input)."""

import json
import subprocess
import sys
from dataclasses import asdict

import pytest

from trainer.cli import main
from trainer.config.flat import list_fields
from trainer.objectives.registry import OWN
from trainer.run.metrics import read_evaluations, read_metrics
from weighting.processes.children import Ending
from weighting.storage.files import read_json

TINY = (
    *("--steps=4", "--warmup=1", "--batch=2", "--layers=1", "--width=16", "--heads=2"),
    *("--context=8", "--eval-every=2", "--log-every=2", "--threads=1", "--device=cpu"),
)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("train", "the following arguments are required: --out"),
        ("train --out x", "shards: no folder given"),
        ("train --out x --shards nowhere", "nowhere: no shards here"),
        ("train --out x --stesp 5", "unrecognized arguments: --stesp 5"),
        ("train --out x --steps five", "steps is 'five', must be int"),
        ("train --out x --objective heavy", "objective is 'heavy', must be one of plain, weighted"),
        ("train --out x --config nowhere.json", "nowhere.json: no such file"),
        ("tarin", "invalid choice: 'tarin'"),
        ("eval nowhere", "nowhere: no checkpoint here"),
        ("ablate --out x --arms gold", "no arm 'gold'; ready-made arms are plain, weighted"),
        ("ablate --out x --arm a:lr", "'lr' is not of the form field=value"),
        ("ablate --out x --arm a:rl=1", "no field 'rl'"),
        ("ablate --out x --arm a:lr=1 --arm a:lr=2", "arm 'a' is given twice"),
        ("ablate --out x --seeds 1,two", "seeds are '1,two', must be whole numbers"),
        ("ablate --out x --jobs two", "invalid int value: 'two'"),
        ("ablate --out x --jobs -2", "jobs is -2, must be ≥ 0"),
        ("ablate --out x --baseline mine", "baseline 'mine': the arms are plain, weighted"),
        ("ablate --out x --arm Plan.json:lr=1", "arm 'Plan.json': a file of the ablation"),
        ("ablate --out x --arm a:lr=1,lr=2", "lr is given twice"),
        ("results nowhere", "nowhere: no ablation and no finished run here"),
    ],
)
def test_bad_arguments_get_one_line(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments.split()) == 2
    assert message in one_line(capsys)
    assert list(tmp_path.iterdir()) == []


def one_line(capsys):
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("trainer: ")
    return captured.err


@pytest.mark.parametrize("command", ["train", "ablate"])
def test_every_field_is_a_flag_with_a_help_text(command, capsys):
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    expected = set(list_fields()) - ({"seed"} if command == "ablate" else set())
    missing = [n for n in expected if f"--{n.replace('_', '-')}" not in text]
    assert missing == []
    for name, objective in OWN.items():
        assert f"  {name:9}  {objective.summary}\n" in f"{text}\n"


def test_train_then_eval(corpus, tmp_path, capsys):
    out = str(tmp_path / "out")
    assert main(["train", "--shards", str(corpus), "--out", out, *TINY]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["step", "tokens", "loss", "nll", "lr", "norm", "tokens/s", "matmul"]
    assert [line.split()[0] for line in lines[1:5]] == ["2", "step", "4", "step"]
    assert main(["eval", out, "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row == asdict(read_evaluations(tmp_path / "out")[-1])


def test_who_is_alone_is_heard_whatever_rank_is_left_in_the_environment(capsys, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    for line in ("eval nowhere", "train --bogus 3"):
        assert main(line.split()) == 2
        assert one_line(capsys)
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    assert main(["eval", "nowhere"]) == 2
    assert one_line(capsys)
    assert main(["train", "--bogus", "3"]) == 2
    assert capsys.readouterr().err == ""


def test_a_warning_is_one_line_beside_the_rows(corpus, tmp_path, capsys):
    command = ["train", "--shards", str(corpus), "--out", str(tmp_path / "out"), *TINY, "--json"]
    assert main([*command, "--objective", "weighted", "--batch", "300"]) == 0
    captured = capsys.readouterr()
    assert all(json.loads(line) for line in captured.out.splitlines())
    lines = captured.err.splitlines()
    assert lines
    assert all(line.startswith("trainer: warning: ") for line in lines)
    assert any("a batch of 300 windows" in line for line in lines)


def test_json_lines_are_the_rows(corpus, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["train", "--shards", str(corpus), "--out", str(out), "--json", *TINY]) == 0
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    rows = [*map(asdict, read_metrics(out)), *map(asdict, read_evaluations(out))]
    assert sorted(printed, key=str) == sorted(rows, key=str)


def test_flags_win_over_the_config_file(corpus, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"lr": 0.5, "clip": 3.0, "allow_uniform_weights": True}))
    command = ["train", "--config", str(path), "--shards", str(corpus), "--lr", "0.25", *TINY]
    assert main([*command, "--no-allow-uniform-weights", "--out", str(tmp_path / "out")]) == 0
    config = read_json(tmp_path / "out" / "result.json")["config"]
    assert (config["lr"], config["clip"]) == (0.25, 3.0)
    assert config["allow_uniform_weights"] is False


def test_ablate_prints_table_and_verdict(corpus, tmp_path, capsys, monkeypatch):
    def run_here(commands, jobs, between):
        return [Ending(command, main(command.arguments[1:]), "") for command in commands]

    # test_ablate starts processes
    monkeypatch.setattr("trainer.compare.ablate.run_children", run_here)
    command = ["ablate", "--shards", str(corpus), "--out", str(tmp_path / "out"), "--seeds", "3"]
    assert main([*command, "--arm", "slow:lr=0.001", "--arm", "fast:lr=0.01", *TINY]) == 0
    text = capsys.readouterr().out
    assert "fast against slow: one seed, so no interval and no verdict" in text
    arms = [line.split()[0] for line in text.splitlines() if line.startswith(("slow  ", "fast  "))]
    assert arms == ["slow", "fast", "fast"]


@pytest.mark.parametrize("command", [["results", "--help"], ["results", "nowhere"]])
def test_results_do_without_torch(command):
    arguments = [sys.executable, "-c", LOADED, *command]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert "torch" not in done.stdout.splitlines()[-1]


LOADED = """
import sys
from trainer.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print([name for name in ("torch", "matplotlib", "numpy", "rich") if name in sys.modules])
"""


@pytest.mark.parametrize("command", [["--help"], ["train", "--help"], ["ablate", "--stesp"]])
def test_help_and_a_mistyped_flag_wait_for_no_library(command):
    arguments = [sys.executable, "-c", LOADED, *command]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_module_runs_and_imports_no_data_side():
    forbidden = ("apache_beam", "prefect", "duckdb", "datasets", "pydantic", "typer", "matplotlib")
    code = f"import sys, trainer.cli; print([m for m in {forbidden} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_what_a_name_holds_does_not_act_on_the_screen(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--out", "run", "--shards", "no\x1b[2J\u202eshards"]) == 2
    assert "no␛[2J⟨U+202E⟩shards" in one_line(capsys)
