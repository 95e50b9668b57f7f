"""Names of models: what each kind looks like, and the error for a name of no kind."""

from pathlib import Path

import pytest

from weighting.errors import AssayError
from weighting.signals.model_names import ModelKind, ModelName, parse_model

HUB = "allenai/OLMo-2-0425-1B@stage1-step10000"


@pytest.fixture
def models(tmp_path):
    """A folder with something of every kind."""
    for name in (
        "run/checkpoints/step-00000010/record.json",
        "run/config.json",  # an ablation's arm has one
        "folder/config.json",
        "folder/checkpoints/last.ckpt",
        "sharded/model-00001-of-00002.gguf",
        "adapter/adapter_config.json",
        "weights/model.safetensors",
        "some.GGUF",
        "a/b@main/config.json",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "untrained" / "checkpoints").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("run", ModelKind.RUN),
        ("run/checkpoints/step-00000010", ModelKind.RUN),
        ("untrained", ModelKind.RUN),
        ("folder", ModelKind.FOLDER),
        ("a/b@main", ModelKind.FOLDER),  # what is there is meant
        ("some.GGUF", ModelKind.GGUF),
    ],
)
def test_a_path_is_of_the_kind_of_what_lies_there(models, name, kind):
    found = parse_model(name, models)
    assert found == ModelName(kind, str(models / name))
    assert found.pretrained == (kind is not ModelKind.RUN)
    assert parse_model(str(found)) == found
    assert parse_model(str(models / name)) == found


def test_relative_paths_start_here_and_a_tilde_at_home(models, monkeypatch):
    monkeypatch.chdir(models)
    assert parse_model("folder") == ModelName(ModelKind.FOLDER, "folder")
    monkeypatch.setenv("HOME", str(models))
    assert parse_model("~/folder", Path("elsewhere")).place == str(models / "folder")


def test_a_name_of_the_hub_has_a_revision(tmp_path):
    found = parse_model(HUB, tmp_path)
    assert found == ModelName(ModelKind.HUB, "allenai/OLMo-2-0425-1B", "stage1-step10000")
    assert str(found) == HUB
    assert found.pretrained
    assert parse_model("a/b@refs/pr/1").revision == "refs/pr/1"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a/b", r"^a/b: nothing is there \(.*\); a model of the hub .* revision: a/b@main$"),
        ("hf:a/b", "^hf:a/b: a model of the hub is named with its revision: a/b@main$"),
        ("https://huggingface.co/a/b", "with its revision: a/b@main$"),
        ("s3://bucket/models/a", "^s3://bucket/models/a: must be a local file or folder"),
        ("gpt2@main", "^gpt2@main: nothing is there; .* is named owner/name@revision$"),
        ("a/b@", "named owner/name@revision"),
        ("a/b/c", "/a/b/c: no model is there: no training run"),
        ("~nobody-of-this-name/a", "~nobody-of-this-name/a"),
        ("empty", "/empty: no model is there: no training run"),
        ("sharded", "/sharded: a folder with GGUF files; name one of them, as in .*00002.gguf"),
        ("sharded/model-00001-of-00002.gguf", "part of a GGUF file; join them with llama-gguf"),
        ("adapter", r"/adapter: an adapter \(adapter_config.json\), .* merge it into its base"),
        ("weights/model.safetensors", "no GGUF file; if a model's, name its folder: .*/weights$"),
    ],
)
def test_what_is_no_model_is_said_in_one_line(models, name, message):
    with pytest.raises(AssayError, match=message) as caught:
        parse_model(name, models)
    assert "\n" not in str(caught.value)
