"""Where an unfinished run stands: asked of its folder, its lock and its log."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from flows.commands.app import app
from flows.operations.log import RunLog
from flows.operations.standing import UnfinishedRun, find_standing, require_finished
from flows.run.folder import Claim, claim_run
from pipelines.readers.records import Slice
from pipelines.work.summaries import CleanSummary, TokenizeSummary
from pipelines.work.units import Unit
from tests.flows.invoking import invoke
from tests.flows.runs import build_run
from weighting.contracts.manifest import read_manifest
from weighting.contracts.timings import STAGES, StageTiming
from weighting.errors import AssayError


@pytest.fixture
def run(tmp_path):
    units = [Unit(n, (Slice("/a", "a", "jsonl", 0, -1, 10),)) for n in range(40)]
    return claim_run(tmp_path / "run", Claim([], {"name": "small"}, "code", [], units))


AGAIN = "run the same command again to go on"


def describe_unfinished(folder):
    return str(find_standing(folder))


def test_stages_and_units_are_told(run):
    assert describe_unfinished(run.folder) == (
        f"unfinished: in stage curate (clean: 0 of 40 units); {AGAIN}"
    )
    for uid in range(40):
        run.job.work.clean.finish(uid, CleanSummary(1))
    assert "in stage curate (clean: 40 of 40 units)" in describe_unfinished(run.folder)
    run.finish("curate", StageTiming())
    assert describe_unfinished(run.folder) == (
        f"unfinished: curate done, in stage tokenizer; {AGAIN}"
    )
    run.finish("tokenizer", StageTiming())
    for uid in range(12):
        run.job.work.tokenize.finish(uid, TokenizeSummary(1, []))
    assert describe_unfinished(run.folder) == (
        f"unfinished: curate and tokenizer done, in stage tokenize (12 of 40 units); {AGAIN}"
    )
    run.finish("tokenize", StageTiming())  # the recipe trains no reference
    assert ", in stage score (0 of 40 units)" in describe_unfinished(run.folder)


def test_how_the_last_command_ended_is_told(run):
    log = RunLog(run.folder).open()
    log.write("command started")
    assert "its last command was killed after 20" in describe_unfinished(run.folder)
    log.fail(AssayError("no room"))
    assert "; its last command failed: no room; run the" in describe_unfinished(run.folder)


HOLD = """
import sys
from pathlib import Path
from weighting.storage.lock import locking
with locking(Path(sys.argv[1])):
    print(flush=True)
    sys.stdin.read()
"""


def test_who_is_at_work_is_told(run):
    command = [sys.executable, "-c", HOLD, str(run.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        told = describe_unfinished(run.folder)
        process.communicate(b"")
    assert f"; process {process.pid} on " in told
    assert told.endswith("is at work on it")
    assert "at work" not in describe_unfinished(run.folder)


def test_a_replay_that_was_stopped_on_its_way_is_told(run):
    (run.folder / ".replay").mkdir()
    (run.folder / ".replay" / "moving").touch()
    with pytest.raises(UnfinishedRun, match="run assay replay again"):
        require_finished(run.folder)


@pytest.mark.parametrize(
    "command",
    [
        ["verify"],
        ["query", "SELECT 1"],
        ["explain", "abc"],
        ["report"],
        ["replay"],
        ["weigh", "--out", "other"],
    ],
    ids=lambda words: words[0],
)
def test_commands_that_need_a_whole_run_say_where_it_stands(run, monkeypatch, tmp_path, command):
    monkeypatch.chdir(tmp_path)
    name, *rest = command
    with pytest.raises(UnfinishedRun) as caught:
        invoke(name, run.folder, *rest)
    told = str(caught.value)
    assert told.startswith(f"{run.folder}: unfinished: in stage curate (clean: 0 of 40 units)")
    assert caught.value.exit_code == 2
    assert sorted(path.name for path in run.folder.iterdir()) == ["run.json"]
    assert not (tmp_path / "other").exists()


def test_a_manifest_that_is_gone_is_told(run):
    for stage in STAGES:
        run.finish(stage, StageTiming())
    with pytest.raises(
        AssayError, match=r"manifest\.json: missing, though every stage is finished"
    ):
        require_finished(run.folder)


def test_programs_are_told_as_well(run):
    result = CliRunner().invoke(app, ["query", str(run.folder), "SELECT 1", "--json"])
    told = json.loads(result.stdout)
    assert told["exit_code"] == 2
    assert told["unfinished"] == {
        "done": [],
        "stage": "curate",
        "step": "clean",
        "units": 0,
        "of_units": 40,
        "holder": None,
        "ending": None,
    }


def test_a_finished_run_gives_its_manifest_and_no_run_is_told(tmp_path):
    run = build_run(tmp_path / "run")
    assert require_finished(run) == read_manifest(run)
    with pytest.raises(AssayError, match="no run of assay is there"):
        require_finished(tmp_path / "nowhere")
