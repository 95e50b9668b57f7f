"""A run is measured with what is its own, whatever it is evaluated on."""

import json
import shutil

import numpy as np
import pytest

from trainer.config.flat import override
from trainer.run.checkpoint import find_newest, read_record, read_target_counts
from trainer.run.train import train
from trainer.scoring.evaluation import evaluate_run
from weighting.errors import AssayError


@pytest.fixture
def run(tiny, tmp_path):
    train(tiny, tmp_path / "out")
    return tmp_path / "out"


@pytest.fixture
def other(write_corpus):
    """Shards of the same validation split whose training split has other frequencies."""
    return write_corpus("other", train=[[[31] * 200 + [30] * 20 + [29] * 3]])


def make_old(run):
    """What a run of checkpoint format 2 left: no counts, no places."""
    for checkpoint in (run / "checkpoints").iterdir():
        (checkpoint / "targets.safetensors").unlink()
        path = checkpoint / "record.json"
        record = json.loads(path.read_text())
        del record["places"], record["init_sha256"]
        path.write_text(json.dumps(record | {"format": 2}))


def test_the_buckets_are_the_runs_own(run, other):
    assert evaluate_run(run, {"shards": str(other)}) == evaluate_run(run, {})


def test_an_older_run_has_buckets_on_its_own_shards_only(run, other):
    own, said = evaluate_run(run, {}), []
    make_old(run)
    assert evaluate_run(run, {}, said.append) == own
    assert said == []
    row = evaluate_run(run, {"shards": str(other)}, said.append)
    assert (row.nll_high, row.nll_medium, row.nll_low) == (None, None, None)
    assert row.validation_nll == pytest.approx(own.validation_nll, rel=1e-12)
    assert len(said) == 1
    assert "older version" in said[0]


def test_an_older_run_goes_on(tiny, run, tmp_path):
    train(override(tiny, {"steps": 12, "schedule": "constant"}), tmp_path / "whole")
    shutil.rmtree(run)
    train(override(tiny, {"schedule": "constant"}), run)
    make_old(run)
    (run / "result.json").unlink()
    assert train(override(tiny, {"steps": 12, "schedule": "constant"}), run) is not None
    one, other = (find_newest(folder) / "model.safetensors" for folder in (run, tmp_path / "whole"))
    assert one.read_bytes() == other.read_bytes()


def test_counts_that_are_not_the_runs_are_refused(run):
    checkpoint = find_newest(run)
    record = read_record(checkpoint)
    counts_V = read_target_counts(checkpoint, record)
    assert counts_V is not None
    assert np.sum(counts_V) == record.data.train_tokens
    from safetensors.torch import load_file, save_file

    path = checkpoint / "targets.safetensors"
    save_file({"counts": load_file(path)["counts"] + 1}, path)
    with pytest.raises(AssayError, match=r"targets\.safetensors: not of the run's training split"):
        evaluate_run(run, {})


def test_shards_of_more_types_than_the_run_are_refused(run, write_corpus):
    wider = write_corpus("wider", vocab=33)
    with pytest.raises(AssayError, match=r"of 33 types, and the run .* was trained on 32"):
        evaluate_run(run, {"shards": str(wider)})


def test_one_of_its_checkpoints_can_be_evaluated(run):
    rows = [evaluate_run(path, {}).step for path in sorted((run / "checkpoints").iterdir())]
    assert rows == [3, 6]
