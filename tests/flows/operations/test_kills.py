"""Killed at the end of every stage, before and after its spent files go, a run ends the same."""

import json

import pytest

from pipelines.work.folder import WorkFolder
from tests.flows.conftest import unreporting
from tests.flows.invoking import invoke
from weighting.contracts.manifest import read_manifest
from weighting.contracts.timings import STAGES

pytestmark = pytest.mark.slow  # whole runs

RECIPE = 'name = "small"\n[split]\nvalidation = 0.2\n[tokenizer]\nvocab_size = 300\n'
WITHOUT_REFERENCE = [stage for stage in STAGES if stage != "reference"]


class Killed(Exception):
    """What ends a command here."""


def test_a_run_killed_twice_at_each_stages_end_has_the_same_files(
    small_corpus, tmp_path, monkeypatch
):
    recipe, calls = tmp_path / "recipe.toml", []
    recipe.write_text(RECIPE)
    curate = [("curate", *small_corpus, "--out", tmp_path / name) for name in ("run", "calm")]
    real = WorkFolder.drop_spent

    def drop(work, stage):
        calls.append(stage)
        if calls.count(stage) == 1:
            raise Killed
        real(work, stage)
        if calls.count(stage) == 2:
            raise Killed

    with unreporting():
        invoke(*curate[1], "--recipe", recipe)
        with monkeypatch.context() as patch:
            patch.setattr(WorkFolder, "drop_spent", drop)
            for _ in range(2 * len(WITHOUT_REFERENCE)):
                with pytest.raises(Killed):
                    invoke(*curate[0], "--recipe", recipe)
            invoke(*curate[0], "--recipe", recipe)
    run, calm = (read_manifest(tmp_path / name) for name in ("run", "calm"))
    assert run == calm
    assert [name for name, _ in run.timings.list_stages()] == WITHOUT_REFERENCE
    assert list(dict.fromkeys(calls)) == WITHOUT_REFERENCE
    lines = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    events = [json.loads(line)["event"] for line in lines]
    assert events.count("failed") == 2 * len(WITHOUT_REFERENCE)
    assert events.count("stage finished") == len(WITHOUT_REFERENCE)
    assert events[-1] == "command finished"
    assert not (tmp_path / "run" / "units").exists()
    assert invoke("verify", tmp_path / "run").endswith("every checksum right\n")


def test_attempts_of_a_stage_that_was_stopped_are_in_the_manifest(
    small_corpus, tmp_path, monkeypatch
):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE)
    curate = ("curate", *small_corpus, "--out", tmp_path / "run", "--recipe", recipe)

    def fail(*_):
        raise Killed

    with unreporting():
        for target in ("flows.run.stages.check_quarantine", "flows.run.stages.weigh"):
            with monkeypatch.context() as patch:
                patch.setattr(target, fail)
                with pytest.raises(Killed):
                    invoke(*curate)
        told = json.loads(invoke(*curate, "--json").splitlines()[-1])
    attempts = {name: row["attempts"] for name, row in told["stages"].items()}
    assert attempts == dict.fromkeys(WITHOUT_REFERENCE, 1) | {"curate": 2, "weigh": 2}
    first, second = read_manifest(tmp_path / "run").timings.stages["curate"].attempts
    assert (first.finished, second.finished) == (False, True)
    assert first.units["write_documents"] > 0 == second.units["write_documents"]
