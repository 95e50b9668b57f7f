"""A run: deterministic, resumable to the byte, and loud when something is wrong."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict

import numpy as np
import pytest
import torch

from trainer.config.flat import flatten, override
from trainer.objectives import losses
from trainer.objectives.tokens import token_nll
from trainer.run import step as stepping
from trainer.run.checkpoint import find_latest, find_newest, read_record
from trainer.run.loop import Diverged
from trainer.run.metrics import Metrics, read_evaluations, read_metrics
from trainer.run.optim import lr_at, set_lr
from trainer.run.train import train
from trainer.scoring.evaluation import evaluate_run
from weighting.errors import AssayError, Interrupted
from weighting.output import OutputClosed
from weighting.storage.lock import locking

TIMED = ("tokens_per_second", "matmul_share")


def vary(config, **values):
    """The config with some fields of its flat form replaced."""
    return override(config, values)


def read_bytes(out):
    """The content of the newest checkpoint, by file name."""
    return {path.name: path.read_bytes() for path in find_newest(out).iterdir()}


def steady_rows(out):
    """The rows of a run without their timing."""
    rows = [*map(asdict, read_metrics(out)), *map(asdict, read_evaluations(out))]
    return [{k: v for k, v in row.items() if k not in TIMED} for row in rows]


def stop_at(step):
    """A report that sends this process SIGTERM when a step is logged."""

    def report(row):
        if row.step == step and isinstance(row, Metrics):
            os.kill(os.getpid(), signal.SIGTERM)

    return report


def test_training_learns_to_count(tiny, write_corpus, tmp_path):
    counting = [[list(range(32)) * 8]]
    shards = write_corpus("counting", train=counting, validation=counting)
    config = vary(tiny, shards=str(shards), objective="weighted", steps=60, lr=0.02)
    result = train(config, tmp_path / "out")
    first = read_metrics(tmp_path / "out")[0]
    assert first.nll == pytest.approx(np.log(32), rel=1e-5)
    assert result is not None
    assert result.final.validation_nll < 0.2


def test_the_rows_of_a_run(tiny, tmp_path):
    train(vary(tiny, objective="weighted"), tmp_path / "out")
    rows = read_metrics(tmp_path / "out")
    assert [row.step for row in rows] == [1, 2, 3, 4, 5, 6]
    assert rows[1].tokens == 64
    assert all(0 < row.ess < 1 for row in rows)
    assert all(row.loss != row.nll for row in rows)
    assert rows[0].lr == tiny.lr
    assert [row.step for row in read_evaluations(tmp_path / "out")] == [3, 6]


def test_every_update_uses_the_rate_of_the_schedule(tiny, tmp_path, monkeypatch):
    used = []

    def note(optimizers, lr):
        set_lr(optimizers, lr)
        used.append(lr)

    monkeypatch.setattr(stepping, "set_lr", note)
    train(tiny, tmp_path / "out")
    assert used == [lr_at(step, tiny) for step in range(6)]
    assert used == [row.lr for row in read_metrics(tmp_path / "out")]


def test_weights_of_one_train_the_plain_model_bit_for_bit(tiny, write_corpus, tmp_path):
    ones = vary(tiny, shards=str(write_corpus("ones", weigh=np.ones_like)))
    train(vary(ones, objective="plain"), tmp_path / "plain")
    train(vary(ones, objective="weighted", allow_uniform_weights=True), tmp_path / "weighted")
    plain, weighted = read_bytes(tmp_path / "plain"), read_bytes(tmp_path / "weighted")
    for name in ("model.safetensors", "optimizer.safetensors"):
        assert plain[name] == weighted[name]
    assert steady_rows(tmp_path / "plain") == steady_rows(tmp_path / "weighted")


def test_live_weights_train_another_model(tiny, tmp_path):
    train(vary(tiny, objective="plain"), tmp_path / "plain")
    train(vary(tiny, objective="weighted"), tmp_path / "weighted")
    plain, weighted = read_bytes(tmp_path / "plain"), read_bytes(tmp_path / "weighted")
    assert plain["model.safetensors"] != weighted["model.safetensors"]


def test_a_weighted_run_on_equal_weights_is_refused(tiny, write_corpus, tmp_path):
    shards = str(write_corpus("sevens", weigh=lambda ids: ids * np.float32(0) + np.float32(7)))
    with pytest.raises(AssayError, match="all training weights are equal"):
        train(vary(tiny, shards=shards, objective="weighted"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("step", [1, 3, 5])
def test_a_resumed_run_has_the_bytes_of_an_uninterrupted_one(tiny, tmp_path, step):
    config = vary(tiny, objective="weighted")
    train(config, tmp_path / "whole")
    with pytest.raises(Interrupted, match=f"saved at step {step}") as caught:
        train(config, tmp_path / "cut", stop_at(step))
    assert caught.value.exit_code == 128 + signal.SIGTERM
    result = train(config, tmp_path / "cut")
    assert read_bytes(tmp_path / "cut") == read_bytes(tmp_path / "whole")
    assert steady_rows(tmp_path / "cut") == steady_rows(tmp_path / "whole")
    whole = train(config, tmp_path / "whole")
    assert result is not None
    assert whole is not None
    assert result.final == whole.final


def test_a_kill_between_checkpoints_loses_rows_not_truth(tiny, tmp_path, monkeypatch):
    class Kill(BaseException):
        pass

    def die(row):
        if row.step == 5:
            raise Kill

    train(tiny, tmp_path / "whole")
    with pytest.raises(Kill):
        train(tiny, tmp_path / "cut", die)
    assert find_newest(tmp_path / "cut").name == "step-00000003"
    with (tmp_path / "cut" / "metrics.jsonl").open("a") as file:
        file.write('{"step": 6, "lo')
    train(tiny, tmp_path / "cut")
    assert steady_rows(tmp_path / "cut") == steady_rows(tmp_path / "whole")
    assert read_bytes(tmp_path / "cut") == read_bytes(tmp_path / "whole")


def test_a_finished_run_is_returned_untouched(tiny, tmp_path):
    result = train(tiny, tmp_path / "out")
    before = (tmp_path / "out" / "metrics.jsonl").stat().st_mtime_ns
    reports = []
    assert train(tiny, tmp_path / "out", reports.append) == result
    assert reports == []
    assert (tmp_path / "out" / "metrics.jsonl").stat().st_mtime_ns == before


def test_another_config_in_the_folder_is_refused_by_field(tiny, tmp_path):
    with pytest.raises(Interrupted):
        train(tiny, tmp_path / "out", stop_at(2))
    with pytest.raises(AssayError, match=r"made with lr 0\.004, now lr is 0\.5"):
        train(vary(tiny, lr=0.5), tmp_path / "out")
    train(tiny, tmp_path / "out")
    with pytest.raises(AssayError, match=r"result\.json: made with clip 1\.0, now clip is 2\.0"):
        train(vary(tiny, clip=2.0), tmp_path / "out")


def test_other_weights_in_the_same_place_are_refused(tiny, write_corpus, tmp_path):
    train(tiny, tmp_path / "out")
    write_corpus(weigh=np.ones_like)
    with pytest.raises(AssayError, match="made with train_weights_crc32"):
        train(tiny, tmp_path / "out")


def test_shards_may_move(tiny, write_corpus, tmp_path):
    result = train(tiny, tmp_path / "out")
    moved = vary(tiny, shards=str(write_corpus("elsewhere")))
    assert train(moved, tmp_path / "out") == result


def test_a_loss_that_is_not_a_number_names_shard_and_document(
    tiny, write_corpus, tmp_path, monkeypatch
):
    shards = write_corpus(train=[[[1, 2, 3, 4]], [[5, 6, 7], [31, 8, 9], [3, 2, 1]]])
    planted = vary(tiny, shards=str(shards))

    def break_on_31(logits, targets):
        return token_nll(logits, targets).masked_fill(targets == 31, torch.nan)

    monkeypatch.setattr(losses, "token_nll", break_on_31)
    with pytest.raises(Diverged) as caught:
        train(planted, tmp_path / "out")
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'out'}: diverged at step 1: loss nan")
    assert "train-00001.arrow, document train-1;" in message
    assert find_latest(tmp_path / "out" / "checkpoints") is None


def test_an_overflowing_run_stops_before_it_saves(tiny, tmp_path):
    config = vary(tiny, lr=1e38, log_every=6, save_every=1)
    with pytest.raises(Diverged, match=r"train-00000\.arrow, document train-\d+"):
        train(config, tmp_path / "out")
    latest = find_latest(tmp_path / "out" / "checkpoints")
    steps = read_record(latest).step if latest is not None else 0
    assert steps < 6


def test_a_validation_loss_that_is_not_a_number_stops_the_run(tiny, tmp_path):
    config = vary(tiny, lr=1e38, log_every=6, eval_every=1)
    with pytest.raises(Diverged, match="step 1: validation loss nan"):
        train(config, tmp_path / "out")
    assert read_evaluations(tmp_path / "out") == []


def test_a_run_whose_output_is_closed_saves_before_it_ends(tiny, tmp_path):
    def break_at_2(row):
        if row.step == 2:
            raise OutputClosed

    train(tiny, tmp_path / "whole")
    with pytest.raises(Interrupted, match=r"saved at step 2; run again to resume \(SIGPIPE\)"):
        train(tiny, tmp_path / "cut", break_at_2)
    train(tiny, tmp_path / "cut")
    assert read_bytes(tmp_path / "cut") == read_bytes(tmp_path / "whole")


def test_two_processes_do_not_train_in_one_folder(tiny, tmp_path):
    with locking(tmp_path / "out"), pytest.raises(AssayError, match="another process"):
        train(tiny, tmp_path / "out")


def test_evaluating_a_run_again_gives_its_final_row(tiny, tmp_path):
    result = train(tiny, tmp_path / "out")
    assert result is not None
    assert evaluate_run(tmp_path / "out", {}) == result.final
    capped = evaluate_run(tmp_path / "out", {"eval_tokens": 8})
    assert capped.validation_tokens == 8


def test_evaluating_on_shards_of_another_tokenizer_is_refused(tiny, write_corpus, tmp_path):
    train(tiny, tmp_path / "out")
    other = write_corpus("other", tokenizer="1" * 64)
    with pytest.raises(AssayError, match="another tokenizer"):
        evaluate_run(tmp_path / "out", {"shards": str(other)})


def test_sigterm_saves_and_ends_the_process(tiny, tmp_path):
    out = tmp_path / "out"
    config = tmp_path / "config.json"
    config.write_text(json.dumps(flatten(vary(tiny, steps=10**6, save_every=10**6))))
    command = [sys.executable, "-m", "trainer", "train", "--config", str(config)]
    process = subprocess.Popen([*command, "--out", str(out), "--json"], stderr=subprocess.PIPE)
    while not read_metrics(out) and process.poll() is None:
        time.sleep(0.05)
    process.terminate()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    told = [line for line in errors.decode().splitlines() if "warning" not in line]
    step = read_record(find_newest(out)).step
    assert told == [
        f"trainer: {out}: stopped and saved at step {step}; run again to resume (SIGTERM)"
    ]
    assert read_metrics(out)[-1].step == step
