"""Parameters to begin from: another run's, and what of that run has to agree."""

import shutil
from dataclasses import replace

import pytest

from tests.trainer.run.test_train import read_bytes, stop_at, vary
from trainer.machine.process_group import ALONE
from trainer.machine.resources import resolve
from trainer.models import build_model
from trainer.run.checkpoint import find_newest, read_record, read_tensors
from trainer.run.initial import load_init, pin_init
from trainer.run.train import train
from weighting.errors import AssayError, Interrupted


@pytest.fixture
def first(tiny, tmp_path):
    """A finished run to begin from."""
    train(vary(tiny, seed=3), tmp_path / "first")
    return tmp_path / "first"


def test_a_run_begins_with_the_parameters_and_nothing_else(tiny, first):
    config = pin_init(resolve(vary(tiny, init=str(first)), ALONE), first.parent / "out")
    assert config.init == str(find_newest(first))
    model = build_model(config.model, 32, config.seed)
    load_init(config, model)
    stored = read_tensors(find_newest(first), "model")
    assert all(tensor.equal(stored[name]) for name, tensor in model.state_dict().items())


def test_what_a_run_began_from_is_part_of_it(tiny, first, tmp_path):
    config = vary(tiny, init=str(first), steps=3)
    train(config, tmp_path / "out")
    record = read_record(find_newest(tmp_path / "out"))
    assert record.init_sha256 is not None
    assert (record.step, len(record.init_sha256)) == (3, 64)
    train(vary(tiny, steps=3), tmp_path / "random")
    assert read_bytes(tmp_path / "out") != read_bytes(tmp_path / "random")
    for other in (vary(tiny, steps=3), vary(config, init=str(tmp_path / "random"))):
        with pytest.raises(AssayError, match=r"began from other parameters, .*first/checkpoints"):
            train(other, tmp_path / "out")
    with pytest.raises(AssayError, match="began from other parameters, random ones"):
        train(config, tmp_path / "random")


def test_a_stopped_run_resumes_to_the_same_bytes_though_its_beginning_is_gone(
    tiny, first, tmp_path
):
    config = vary(tiny, init=str(first))
    train(config, tmp_path / "whole")
    with pytest.raises(Interrupted):
        train(config, tmp_path / "cut", stop_at(2))
    shutil.rmtree(first)
    train(config, tmp_path / "cut")
    assert read_bytes(tmp_path / "cut") == read_bytes(tmp_path / "whole")
    with pytest.raises(AssayError, match="no checkpoint here"):
        train(config, tmp_path / "new")


def test_a_checkpoint_can_be_named_too(tiny, first, tmp_path):
    oldest = first / "checkpoints" / "step-00000003"
    train(vary(tiny, init=str(oldest), steps=1, warmup=0), tmp_path / "out")
    assert read_record(find_newest(tmp_path / "out")).config["init"] == str(oldest)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"layers": 2, "width": 24}, "another shape; give --layers 1 --width 16, or"),
        ({"heads": 1}, "another shape; give --heads 2"),
        ({"positions": "alibi"}, "another shape; give --positions rope"),
        ({"architecture": "lstm"}, "another shape; give --architecture gpt"),
        ({"vocab": 40}, "another shape; give --vocab 32"),
    ],
)
def test_a_model_of_another_shape_is_named_by_its_flags(tiny, first, tmp_path, values, message):
    with pytest.raises(AssayError, match=message):
        train(vary(tiny, init=str(first), **values), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_context_and_masking_may_change(tiny, first, tmp_path):
    values = {"context": 12, "mask_documents": True, "optimizer": "muon", "steps": 2}
    assert train(vary(tiny, init=str(first), **values), tmp_path / "out") is not None


def test_another_tokenizer_is_refused(tiny, first, tmp_path, write_corpus):
    shards = str(write_corpus("other", tokenizer="1" * 64))
    with pytest.raises(AssayError, match="parameters are of another tokenizer"):
        train(replace(tiny, shards=shards, init=str(first)), tmp_path / "out")
