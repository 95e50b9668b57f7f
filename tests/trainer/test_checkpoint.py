"""Checkpoints are whole or absent, few, and free of pickle."""

import pytest
import torch

from trainer.checkpoint import find_latest, load_model, load_optimizer, read_record, save
from trainer.config import ModelConfig, TrainConfig
from trainer.model import build_model
from trainer.optim import build_optimizer
from weighting.errors import AssayError

CONFIG = ModelConfig(layers=1, width=8, heads=2, context=4)


def build(seed=0):
    model = build_model(CONFIG, 10, seed)
    return model, build_optimizer(model, TrainConfig())


def step(model, optimizer):
    for number, parameter in enumerate(model.parameters()):
        parameter.grad = torch.full_like(parameter, 0.1 * (number + 1))
    optimizer.step()


@pytest.fixture
def saved(tmp_path):
    model, optimizer = build()
    step(model, optimizer)
    save(tmp_path, {"step": 1}, model, optimizer, keep=2)
    return model, optimizer, find_latest(tmp_path)


def test_what_is_loaded_goes_on_as_what_was_saved(saved):
    model, optimizer, path = saved
    other, other_optimizer = build(seed=9)
    load_model(path, other)
    load_optimizer(path, other, other_optimizer)
    for pair in ((model, optimizer), (other, other_optimizer)):
        step(*pair)
    for ours, theirs in zip(model.parameters(), other.parameters(), strict=True):
        assert ours.equal(theirs)


def test_only_safetensors_and_json_no_pickle(saved):
    files = {path.name: path.read_bytes() for path in saved[2].iterdir()}
    assert set(files) == {"model.safetensors", "optimizer.safetensors", "record.json"}
    for name, content in files.items():
        # A pickle of protocol 2 and up starts with 0x80, torch.save's archive with PK.
        assert content[:1] != b"\x80", name
        assert content[:2] != b"PK", name
        header = content[8:9] if name.endswith(".safetensors") else content[:1]
        assert header == b"{", name


def test_only_the_newest_are_kept(tmp_path):
    model, optimizer = build()
    step(model, optimizer)
    for number in (1, 2, 10):
        save(tmp_path, {"step": number}, model, optimizer, keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000002", "step-00000010"]
    assert read_record(find_latest(tmp_path)) == {"step": 10}


def test_an_unfinished_folder_is_no_checkpoint_and_is_cleared(tmp_path):
    (tmp_path / ".step-00000005.123.tmp").mkdir()
    assert find_latest(tmp_path) is None
    model, optimizer = build()
    step(model, optimizer)
    save(tmp_path, {"step": 1}, model, optimizer, keep=2)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]


def test_a_damaged_checkpoint_is_named(saved):
    model, _, path = saved
    tensors = path / "model.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:-7])
    with pytest.raises(AssayError, match=r"model\.safetensors: damaged .* remove step-00000001"):
        load_model(path, model)


def test_a_model_of_another_shape_is_refused(saved):
    with pytest.raises(AssayError, match="of another model"):
        load_model(saved[2], build_model(CONFIG, 11, seed=0))


def test_another_format_is_refused(saved):
    (saved[2] / "record.json").write_text('{"format": 0}')
    with pytest.raises(AssayError, match="not a checkpoint of format 1"):
        read_record(saved[2])
