"""A run goes on: with what a command leaves open, with more steps, with other notes of it."""

from dataclasses import replace

import pytest

from tests.trainer.run.test_train import read_bytes, steady_rows, stop_at, vary
from trainer.machine.process_group import ALONE
from trainer.run.checkpoint import find_newest, list_kept, read_record
from trainer.run.result import RESULT
from trainer.run.setup import set_up
from trainer.run.stored import adopt, find_stored
from trainer.run.train import train
from weighting.errors import AssayError, Interrupted


def test_what_is_left_open_is_what_the_run_has(tiny, tmp_path):
    with pytest.raises(Interrupted):
        train(replace(tiny, threads=2, lr=0.125), tmp_path / "out", stop_at(2))
    left_open = replace(tiny, lr=-1.0, threads=0, warmup=-1, shards="")
    assert adopt(left_open, tmp_path / "new") == left_open
    setup = set_up(left_open, tmp_path / "out", ALONE)
    assert (setup.config.threads, setup.config.warmup) == (2, 1)
    assert setup.config.lr == 0.125
    assert setup.config.shards == tiny.shards
    with pytest.raises(AssayError, match="made with threads 2, now threads is 1"):
        train(replace(tiny, lr=0.125), tmp_path / "out")


def test_what_is_left_open_in_a_new_folder_follows_machine_and_steps(tiny, tmp_path):
    def resolve(**values):
        return set_up(replace(tiny, warmup=-1, **values), tmp_path / "out", ALONE).config.warmup

    assert [resolve(steps=steps) for steps in (1, 9, 10, 20, 499, 1000)] == [0, 0, 1, 2, 49, 50]


@pytest.mark.parametrize(
    "notes",
    [
        {"keep": 1},
        {"log_every": 2, "save_every": 1},
        {"eval_every": 1, "tensorboard": True, "allow_uniform_weights": True},
    ],
)
def test_what_changes_no_result_may_change_while_a_run_goes_on(tiny, tmp_path, notes):
    train(tiny, tmp_path / "whole")
    with pytest.raises(Interrupted):
        train(tiny, tmp_path / "cut", stop_at(4))
    train(vary(tiny, **notes), tmp_path / "cut")
    whole, cut = read_bytes(tmp_path / "whole"), read_bytes(tmp_path / "cut")
    assert whole.keys() == cut.keys()
    assert all(whole[name] == cut[name] for name in whole if name != "record.json")


def test_room_is_made_before_it_is_needed(tiny, tmp_path, monkeypatch):
    with pytest.raises(Interrupted):
        train(vary(tiny, save_every=1), tmp_path / "out", stop_at(3))
    assert len(list_kept(tmp_path / "out" / "checkpoints")) == 2
    seen = []

    def look(row):
        seen.append(len(list_kept(tmp_path / "out" / "checkpoints")))

    train(vary(tiny, keep=1, save_every=6), tmp_path / "out", look)
    assert seen[0] == 1


@pytest.mark.parametrize("finished", [True, False])
def test_more_steps_make_the_run_that_had_them_from_the_first(tiny, tmp_path, finished):
    long = vary(tiny, steps=12, schedule="constant")
    train(long, tmp_path / "whole")
    short = vary(long, steps=6)
    if finished:
        train(short, tmp_path / "out")
    else:
        with pytest.raises(Interrupted):
            train(short, tmp_path / "out", stop_at(4))
    result = train(long, tmp_path / "out")
    assert result is not None
    assert result.step == 12
    assert read_bytes(tmp_path / "out") == read_bytes(tmp_path / "whole")
    assert steady_rows(tmp_path / "out") == steady_rows(tmp_path / "whole")


def test_more_steps_need_a_schedule_that_did_not_know_of_the_end(tiny, tmp_path):
    train(tiny, tmp_path / "out")
    with pytest.raises(AssayError, match=r"now steps is 12, with which step 3 of the 6 .*--init"):
        train(vary(tiny, steps=12), tmp_path / "out")
    assert (tmp_path / "out" / RESULT).exists()


def test_a_trapezoid_is_longer_as_long_as_it_is_flat(tiny, tmp_path):
    flat = vary(tiny, schedule="trapezoid", steps=8)
    with pytest.raises(Interrupted):
        train(flat, tmp_path / "out", stop_at(4))
    train(vary(flat, steps=12), tmp_path / "out")
    train(vary(flat, steps=12), tmp_path / "whole")
    assert read_bytes(tmp_path / "out") == read_bytes(tmp_path / "whole")
    with pytest.raises(AssayError, match=r"now steps is 20, with which step 11 of the 12"):
        train(vary(flat, steps=20), tmp_path / "out")


def test_fewer_steps_than_are_done_are_refused(tiny, tmp_path):
    train(vary(tiny, schedule="constant"), tmp_path / "out")
    with pytest.raises(AssayError, match="now steps is 3, and 6 are done"):
        train(vary(tiny, schedule="constant", steps=3), tmp_path / "out")


def test_a_stopped_extension_is_no_finished_run(tiny, tmp_path):
    long = vary(tiny, steps=12, schedule="constant")
    train(vary(long, steps=6), tmp_path / "out")
    with pytest.raises(Interrupted):
        train(long, tmp_path / "out", stop_at(8))
    assert not (tmp_path / "out" / RESULT).exists()
    stored = find_stored(tmp_path / "out")
    assert stored is not None
    assert (stored.step, read_record(find_newest(tmp_path / "out")).step) == (8, 8)
