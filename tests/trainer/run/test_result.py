"""What a run says when it has ended, found again: its result, or that it diverged."""

import json
from dataclasses import replace

import pytest

from trainer.machine.process_group import ALONE
from trainer.run.loop import Diverged
from trainer.run.result import DIVERGED, RESULT, find_divergence, find_result
from trainer.run.setup import set_up
from trainer.run.train import train
from weighting.errors import BrokenContract


def test_a_result_is_found_and_no_other_file_is_taken_for_one(tiny, tmp_path):
    out = tmp_path / "out"
    identity = set_up(tiny, out, ALONE).identity
    assert find_result(identity, out) is None
    result = train(tiny, out)
    assert find_result(identity, out) == result
    content = json.loads((out / RESULT).read_text())
    del content["final"]
    (out / RESULT).write_text(json.dumps(content))
    with pytest.raises(BrokenContract, match=r"result\.json: .*'final' is missing"):
        find_result(identity, out)


def test_a_run_that_diverged_says_so_again_without_training(tiny, tmp_path):
    out, wild = tmp_path / "out", replace(tiny, lr=1e38)
    with pytest.raises(Diverged) as first:
        train(wild, out)
    found = find_divergence(set_up(wild, out, ALONE).identity, out)
    assert found is not None
    assert (found.step, found.message) == (first.value.step, first.value.message)
    assert str(first.value).startswith(f"{out}: diverged at step {found.step}: ")
    rows = []
    with pytest.raises(Diverged, match=r"it would again: to try all the same, remove diverged"):
        train(wild, out, rows.append)
    assert rows == []


def test_another_run_may_follow_one_that_diverged_before_it_saved(tiny, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(Diverged):
        train(replace(tiny, lr=1e38), out)
    assert find_divergence(set_up(tiny, out, ALONE).identity, out) is None
    assert train(tiny, out) is not None
    assert not (out / DIVERGED).exists()
