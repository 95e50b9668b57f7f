"""Models of the hub: fetched once, from the cache ever after, and refused in one line."""

import json
import shutil
import sys

import pytest

from tests.hub import COMMIT, fake_hub
from trainer.scoring.hub import Located, list_shards, locate
from weighting.errors import AssayError, MayPass
from weighting.signals.model_names import ModelKind, ModelName

__all__ = ["fake_hub"]

NAME = ModelName(ModelKind.HUB, "owner/small", "main")
FILES = {
    "config.json": b"{}",
    "tokenizer.json": b"{}",
    "model.safetensors": b"parameters",
    "pytorch_model.bin": b"a pickle",
    "README.md": b"words",
    "onnx.safetensors": b"another format",
}


@pytest.fixture
def hub(fake_hub):
    """A hub with one model."""
    (fake_hub.folder / NAME.place).mkdir(parents=True)
    for name, content in FILES.items():
        (fake_hub.folder / NAME.place / name).write_bytes(content)
    return fake_hub


def list_names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_only_what_a_language_model_needs_is_fetched_and_never_a_pickle(hub):
    found = locate(NAME)
    assert found.commit == COMMIT
    assert list_names(found.folder) == ["config.json", "model.safetensors", "tokenizer.json"]
    assert (found.folder / "model.safetensors").read_bytes() == b"parameters"


def test_parameters_are_fetched_last(hub):
    found = locate(NAME, parameters=False)
    assert list_names(found.folder) == ["config.json", "tokenizer.json"]
    assert locate(NAME) == found
    assert "model.safetensors" in list_names(found.folder)


def test_what_the_cache_has_is_taken_without_a_question(hub):
    found = locate(NAME)
    hub.asked.clear()
    assert locate(NAME) == found
    assert locate(ModelName(ModelKind.HUB, NAME.place, COMMIT)) == found
    assert not hub.asked
    assert locate(ModelName(ModelKind.HUB, NAME.place, "stage1-step10")) == found
    assert hub.asked


def test_a_model_that_was_fetched_in_part_is_fetched_whole(hub):
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    folder = hub.folder / NAME.place
    (folder / "model.safetensors").rename(folder / "model-1.safetensors")
    (folder / "model-2.safetensors").write_bytes(b"more")
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    found = locate(NAME)
    assert list_shards(found.folder) == ["model-1.safetensors", "model-2.safetensors"]
    (found.folder / "model-2.safetensors").unlink()
    assert locate(NAME) == found
    assert (found.folder / "model-2.safetensors").exists()


def test_folders_and_files_are_where_they_are_and_the_hub_is_not_even_imported(
    tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    folder = ModelName(ModelKind.FOLDER, str(tmp_path / "a"))
    gguf = ModelName(ModelKind.GGUF, str(tmp_path / "b.gguf"))
    assert locate(folder) == Located(tmp_path / "a")
    assert locate(gguf) == Located(tmp_path)


def refuse(name=NAME):
    with pytest.raises(AssayError) as caught:
        locate(name)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{name}: ")
    return caught.value


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((403, "GatedRepo"), "consent: give it at https://huggingface.co/owner/small, then log in"),
        ((401, "GatedRepo"), "`hf auth login`, or set HF_TOKEN"),
        ((401, "RepoNotFound"), "not on the hub, or private; if it is, log in"),
        ((404, "RepoNotFound"), "not on the hub, or private"),
        ((404, "RevisionNotFound"), "owner/small has no revision main"),
        ((403, "", "Access to this resource is disabled."), "gives it to nobody any more"),
        ((401, "", "Invalid credentials in Authorization header"), "refuses the token"),
    ],
)
def test_what_the_hub_does_not_give_is_said_with_what_to_do(hub, answer, message):
    hub.refuse(*answer)
    error = refuse()
    assert message in str(error)
    assert not isinstance(error, MayPass)


def test_a_gated_model_shows_its_list_and_refuses_its_files(hub):
    hub.refuse(403, "GatedRepo", path=f"/{NAME.place}/resolve")
    assert "its owner asks for consent" in str(refuse())


def test_names_that_are_not_there(hub):
    assert "not on the hub" in str(refuse(ModelName(ModelKind.HUB, "owner/other", "main")))
    assert "no revision v9" in str(refuse(ModelName(ModelKind.HUB, NAME.place, "v9")))
    assert "no name of a model" in str(refuse(ModelName(ModelKind.HUB, "owner/-a..b-", "main")))


def test_without_a_network_the_cache_serves_and_what_it_lacks_is_named(hub, monkeypatch):
    found = locate(NAME)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    assert locate(NAME) == found
    error = refuse(ModelName(ModelKind.HUB, NAME.place, "stage1-step10"))
    assert isinstance(error, MayPass)
    assert "the hub at http://127.0.0.1:9 gives no answer (" in str(error)
    assert "not in the cache, " in str(error)


def test_a_hub_that_is_down_may_be_up_again(hub):
    hub.refuse(503)
    error = refuse()
    assert "the hub answers with 503; run the command again" in str(error)
    assert isinstance(error, MayPass)


def test_offline_mode_is_named(hub, monkeypatch):
    found = locate(NAME)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert locate(NAME) == found
    error = refuse(ModelName(ModelKind.HUB, NAME.place, "stage1-step10"))
    assert "HF_HUB_OFFLINE is set and it is not in the cache" in str(error)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(28, "No space left on device", "model"), "No space left on device; make room"),
        (TimeoutError("timed out"), r"the hub broke off \(timed out\); run the command again"),
        (RuntimeError("half\nof it"), r"the hub broke off \(half\); run the command again"),
    ],
)
def test_what_breaks_on_the_way_may_pass(hub, monkeypatch, error, message):
    def fail(*arguments, **named):
        raise error

    monkeypatch.setattr("huggingface_hub._snapshot_download.hf_hub_download", fail)
    with pytest.raises(MayPass, match=message) as caught:
        locate(NAME)
    assert "\n" not in str(caught.value)


def test_a_file_that_breaks_off_is_fetched_on(hub):
    hub.broken = 1
    found = locate(NAME)
    assert (found.folder / "model.safetensors").read_bytes() == b"parameters"


def test_without_the_library_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr("trainer.scoring.hub.find_spec", lambda name: None)
    assert "pip install 'assay[hf]'" in str(refuse())


def test_a_damaged_index_is_named(tmp_path):
    (tmp_path / "model.safetensors.index.json").write_text("{")
    with pytest.raises(AssayError, match=r"index.json: cannot be read as JSON .*; fetch it again"):
        list_shards(tmp_path)
    (tmp_path / "model.safetensors.index.json").write_text("[]")
    with pytest.raises(AssayError, match=r"index.json: holds no object"):
        list_shards(tmp_path)
    shutil.rmtree(tmp_path)
    assert list_shards(tmp_path) == ["model.safetensors"]
