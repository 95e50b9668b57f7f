"""Checkpoints are whole or absent, few, and free of pickle."""

import pytest
import torch

from tests.trainer.records import make_record
from trainer.config.schema import ModelConfig
from trainer.models import build_model
from trainer.run.checkpoint import (
    find_latest,
    find_newest,
    load_model,
    read_newest,
    read_record,
    read_tensors,
    save,
)
from weighting.errors import AssayError

CONFIG = ModelConfig(layers=1, width=8, heads=2, context=4)
TENSORS = {"model": {"a": torch.arange(3.0)}}


@pytest.fixture
def saved(tmp_path):
    model = build_model(CONFIG, 10, seed=0)
    save(tmp_path, make_record(), {"model": model.state_dict(), "types": {}}, keep=2)
    return find_latest(tmp_path)


def test_only_safetensors_and_json_no_pickle(saved):
    files = {path.name: path.read_bytes() for path in saved.iterdir()}
    assert set(files) == {"model.safetensors", "types.safetensors", "record.json"}
    for name, content in files.items():
        # A pickle of protocol 2 and up starts with 0x80, torch.save's archive with PK.
        assert content[:1] != b"\x80", name
        assert content[:2] != b"PK", name
        header = content[8:9] if name.endswith(".safetensors") else content[:1]
        assert header == b"{", name


def test_only_the_newest_are_kept(tmp_path):
    for number in (1, 2, 10):
        save(tmp_path, make_record(number), TENSORS, keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000002", "step-00000010"]
    latest = find_latest(tmp_path)
    assert latest is not None
    assert read_record(latest) == make_record(10)


def test_an_unfinished_folder_is_no_checkpoint_and_is_cleared(tmp_path):
    (tmp_path / ".step-00000005.123.tmp").mkdir()
    assert find_latest(tmp_path) is None
    save(tmp_path, make_record(), TENSORS, keep=2)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]


def test_tensors_come_back_as_they_were(tmp_path):
    save(tmp_path, make_record(), TENSORS, keep=1)
    latest = find_latest(tmp_path)
    assert latest is not None
    assert read_tensors(latest, "model")["a"].equal(TENSORS["model"]["a"])


def test_a_damaged_checkpoint_is_named(saved):
    tensors = saved / "model.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:-7])
    with pytest.raises(AssayError, match=r"model\.safetensors: damaged .* remove step-00000001"):
        load_model(saved, build_model(CONFIG, 10, seed=0))


def test_a_missing_file_is_named(saved):
    with pytest.raises(AssayError, match=r"optimizer\.safetensors: damaged .*step-00000001"):
        read_tensors(saved, "optimizer")


def test_a_model_of_another_shape_is_refused(saved):
    with pytest.raises(AssayError, match="of another model"):
        load_model(saved, build_model(CONFIG, 11, seed=0))


def test_another_format_is_refused(saved):
    (saved / "record.json").write_text('{"format": 0}')
    with pytest.raises(AssayError, match="not a checkpoint of format 3"):
        read_record(saved)


def test_a_record_that_lacks_something_is_named(saved):
    (saved / "record.json").write_text('{"format": 2, "step": 1}')
    with pytest.raises(AssayError, match=r"record\.json: field '\w+' is missing"):
        read_record(saved)


def test_a_newer_checkpoint_is_read_where_the_newest_made_room(tmp_path):
    folder = tmp_path / "checkpoints"
    save(folder, make_record(1), TENSORS, keep=1)

    def read_late(path):
        if path.name == "step-00000001":
            save(folder, make_record(2), TENSORS, keep=1)
        return read_record(path)

    assert read_newest(tmp_path, read_late).step == 2
    (find_newest(tmp_path) / "record.json").write_text("[]")
    with pytest.raises(AssayError, match="not a checkpoint of format"):
        read_newest(tmp_path, read_record)


def test_what_is_no_checkpoint_is_not_listed(saved):
    (saved.parent / "step-00000009 (copy)").mkdir()
    (saved.parent / "step-final").mkdir()
    assert find_latest(saved.parent) == saved
    assert find_newest(saved) == saved


def test_a_run_without_checkpoints_is_named(tmp_path):
    with pytest.raises(AssayError, match="no checkpoint here"):
        find_newest(tmp_path)
