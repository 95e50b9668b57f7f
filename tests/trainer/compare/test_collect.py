"""Results of what is in a folder: only runs that are the planned ones."""

from dataclasses import replace

import pytest

from tests.flows.ablations import write_ablation
from tests.trainer.records import make_metrics, make_plan, make_result
from trainer.compare.collect import collect, find_results
from trainer.compare.plan import PLAN, find_run
from trainer.compare.results import RESULTS, read_results
from trainer.run.metrics import METRICS, append_row
from trainer.run.result import DIVERGED, RESULT, Divergence
from weighting.errors import AssayError
from weighting.storage.json_records import write_record


@pytest.fixture
def plan():
    return make_plan(["plain", "weighted"], (0, 1), overrides={"weighted": {"lr": 0.5}})


def finish(out, plan, arm, seed, **config):
    """Leave the result of a run, with some other fields."""
    [planned] = [one for one in plan.arms if one.name == arm]
    result = make_result(seed, 3.0 + seed)
    result = replace(result, config={**planned.identify(seed).config, **config})
    write_record(find_run(out, arm, seed) / RESULT, result)


def test_a_part_that_is_finished_says_what_is_not(plan, tmp_path):
    for arm, seed in (("plain", 0), ("plain", 1), ("weighted", 0)):
        finish(tmp_path, plan, arm, seed)
    results = collect(plan, tmp_path, {})
    assert [len(arm.runs) for arm in results.arms] == [2, 1]
    assert results.list_missing() == ["arm weighted, seed 1: not begun"]
    folder = find_run(tmp_path, "weighted", 1)
    folder.mkdir()
    append_row(folder / METRICS, make_metrics(40))
    assert collect(plan, tmp_path, {}).list_missing() == [
        "arm weighted, seed 1: not finished: step 40 of 1000"
    ]
    failed = {("weighted", 1): "failed: no room"}
    assert collect(plan, tmp_path, failed).list_missing() == [
        "arm weighted, seed 1: failed: no room"
    ]


def test_a_run_of_other_settings_is_not_taken(plan, tmp_path):
    finish(tmp_path, plan, "plain", 0)
    finish(tmp_path, plan, "weighted", 0, lr=0.02)
    results = collect(replace(plan, seeds=(0,)), tmp_path, {})
    assert results.find_arm("weighted").runs == ()
    [missing] = results.list_missing()
    assert "its folder holds another run" in missing
    assert "made with lr 0.02, now lr is 0.5" in missing


def test_a_run_that_diverged_says_where(plan, tmp_path):
    finish(tmp_path, plan, "plain", 0)
    identity = plan.arms[1].identify(0)
    record = Divergence(**vars(identity), step=2, tokens=64, message="step 2: loss nan")
    write_record(find_run(tmp_path, "weighted", 0) / DIVERGED, record)
    results = collect(replace(plan, seeds=(0,)), tmp_path, {})
    assert results.list_missing() == ["arm weighted, seed 0: diverged at step 2"]


def test_results_of_another_plan_are_not_shown(tmp_path):
    folder = write_ablation(tmp_path)
    assert find_results(folder) == read_results(folder)
    other = replace(read_results(folder).plan, seeds=(5,))
    write_record(folder / PLAN, other)
    assert find_results(folder).list_missing() == [
        "arm plain, seed 5: not begun", "arm weighted, seed 5: not begun",
    ]  # fmt: skip
    (folder / PLAN).unlink()  # a copy of results alone
    assert find_results(folder) == read_results(folder)
    (folder / RESULTS).write_text("{}")
    with pytest.raises(AssayError, match="no results of format 2; run the same"):
        find_results(folder)


def test_one_run_is_an_ablation_of_one_arm(tmp_path):
    write_record(tmp_path / "mine" / RESULT, make_result(3, 2.5))
    results = find_results(tmp_path / "mine")
    [arm] = results.arms
    assert (arm.name, arm.runs[0].validation_nll, results.plan.seeds) == ("mine", 2.5, (3,))


def test_a_folder_without_any_says_where_there_are_some(tmp_path):
    with pytest.raises(AssayError, match="no ablation and no finished run here; give the folder"):
        find_results(tmp_path)
    folder = write_ablation(tmp_path)
    with pytest.raises(AssayError, match=f"no finished run here; it has {folder}"):
        find_results(tmp_path)
