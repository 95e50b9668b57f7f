"""What a model is made of, by names and headers: what is counted, and what is refused unread."""

import json
import shutil

import pytest

from tests.hub import COMMIT, fake_hub
from tests.tiny_models import write_model
from trainer.scoring.model_files import inspect, list_parts
from weighting.errors import AssayError
from weighting.signals.model_names import ModelKind, ModelName, parse_model

__all__ = ["fake_hub"]


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    """The folder of a small model."""
    return write_model(tmp_path_factory.mktemp("models") / "llama")


@pytest.fixture
def copied(llama, tmp_path):
    """The folder of a model to damage."""
    return shutil.copytree(llama, tmp_path / "copied")


def count(folder):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder).num_parameters()


def test_files_that_decide_are_listed_and_parameters_counted(llama):
    found = inspect(parse_model(str(llama)))
    names = {path.name for path in found.files}
    assert names == {"config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"}
    assert found.parameters == count(llama)
    assert found.commit is None


def test_a_model_in_several_files_is_all_of_them(llama, tmp_path):
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(llama)
    model.save_pretrained(tmp_path, max_shard_size="10KB")
    shutil.copy(llama / "tokenizer.json", tmp_path)
    name = parse_model(str(tmp_path))
    found = inspect(name)
    shards = [path for path in found.files if path.suffix == ".safetensors"]
    assert len(shards) > 1
    assert tmp_path / "model.safetensors.index.json" in found.files
    assert found.parameters == count(llama)
    shards[0].unlink()
    with pytest.raises(AssayError, match=f"{shards[0].name} is missing, which .*index.json names"):
        inspect(name)


def test_a_model_of_the_hub_is_judged_before_its_parameters_are_fetched(llama, fake_hub):
    shutil.copytree(llama, fake_hub.folder / "owner" / "small")
    found = inspect(ModelName(ModelKind.HUB, "owner/small", "main"))
    assert found.commit == COMMIT
    assert found.parameters == count(llama)
    edit(shutil.copytree(llama, fake_hub.folder / "owner" / "other"), architectures=["LlamaModel"])
    with pytest.raises(AssayError, match=r"^owner/other@main: no causal language model"):
        inspect(ModelName(ModelKind.HUB, "owner/other", "main"))
    assert not any("other/resolve" in path and "safetensors" in path for path in fake_hub.asked)


def edit(folder, **changes):
    path = folder / "config.json"
    config = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in config.items() if value is not None}))
    return folder


def refuse(folder):
    with pytest.raises(AssayError) as caught:
        inspect(parse_model(str(folder)))
    assert str(caught.value).startswith(str(folder))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architectures": ["LlamaForSequenceClassification"]}, "no causal language model (Llama"),
        ({"architectures": ["BertForMaskedLM"], "model_type": "bert"}, "(BertForMaskedLM)"),
        (
            {"architectures": None, "model_type": "t5", "is_encoder_decoder": True},
            "no causal language model (t5, it reads with an encoder)",
        ),
        (
            {"architectures": ["NewForCausalLM"], "model_type": "new", "auto_map": {"A": "b.C"}},
            "its code comes with it (auto_map), and foreign code is never run",
        ),
        (
            {"architectures": ["NewForCausalLM"], "model_type": "new"},
            "architecture 'new' is not in transformers",
        ),
        ({"architectures": None, "model_type": None}, "config.json names no model_type"),
        (
            {"quantization_config": {"quant_method": "bitsandbytes"}},
            "quantised by bitsandbytes, which is not supported",
        ),
    ],
)
def test_what_a_configuration_says_may_be_no_reference(copied, changes, message):
    assert message in refuse(edit(copied, **changes))


def test_foreign_code_beside_an_architecture_that_is_known_is_no_matter(copied):
    edit(copied, auto_map={"AutoModel": "code.Model"})
    assert inspect(parse_model(str(copied))).parameters


def remove(name):
    return lambda folder: (folder / name).unlink()


def cut(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def cut_header(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:100])


def fill(name, content):
    return lambda folder: (folder / name).write_bytes(content)


def pickle(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def adapt(folder):
    (folder / "model.safetensors").unlink()
    (folder / "adapter_config.json").write_text("{}")


HEADER = len(b"[]").to_bytes(8, "little") + b"[]"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (remove("tokenizer.json"), "a model without a tokenizer (no tokenizer.json)"),
        (remove("model.safetensors"), "no parameters (model.safetensors, or"),
        (cut, "bytes of "),
        (cut_header, "no safetensors file, or cut short; fetch it again"),
        (fill("model.safetensors", b""), "no safetensors file"),
        (fill("model.safetensors", HEADER), "no safetensors file; fetch it again"),
        (fill("model.safetensors", b"version https://git-lfs.github.com/spec/v1"), "git lfs pull"),
        (fill("config.json", b"{"), "config.json: cannot be read as JSON"),
        (pickle, "its parameters are pickles, which can run code and are never read"),
        (adapt, "an adapter, without the model that it adapts"),
    ],
)
def test_files_that_are_missing_or_damaged_are_named(copied, damage, message):
    damage(copied)
    assert message in refuse(copied)


def write_gguf(path, architecture="llama", tokens=True, parts=1):
    import numpy as np
    from gguf import GGUFWriter

    writer = GGUFWriter(path, architecture)
    if tokens:
        writer.add_token_list(["a", "b"])
    if parts > 1:
        writer.add_uint16("split.count", parts)
    writer.add_tensor("token_embd.weight", np.ones((2, 64), np.float32))
    writer.add_tensor("output.weight", np.ones((2, 64), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_a_gguf_file_is_counted_by_its_header(tmp_path):
    path = write_gguf(tmp_path / "a.gguf")
    found = inspect(parse_model(str(path)))
    assert (found.files, found.parameters) == ((path,), 256)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"tokens": False}, "a model without a tokenizer"),
        ({"parts": 2}, "one part of several; join them with llama-gguf-split --merge"),
        ({"architecture": "newest"}, "reads no GGUF file of 'newest'; valid: bloom, "),
    ],
)
def test_gguf_files_that_are_no_reference(tmp_path, given, message):
    assert message in refuse(write_gguf(tmp_path / "a.gguf", **given))


@pytest.mark.parametrize("size", [0, 3, 40, 200, -64])
def test_a_gguf_file_that_is_cut_short_is_named(tmp_path, size):
    path = write_gguf(tmp_path / "a.gguf")
    path.write_bytes(path.read_bytes()[:size])
    assert "no GGUF file, or cut short; fetch it again" in refuse(path)


def test_of_a_training_run_every_checkpoint_counts(tmp_path):
    steps = [tmp_path / "run" / "checkpoints" / f"step-{step:08}" for step in (10, 20)]
    for step in steps:
        step.mkdir(parents=True)
        (step / "record.json").touch()
    parts = list_parts(parse_model(str(tmp_path / "run")))
    assert list(parts) == [(f".{step.name}", step / "model.safetensors") for step in steps]
    assert list(list_parts(parse_model(str(steps[0])))) == [
        (f".{steps[0].name}", steps[0] / "model.safetensors")
    ]


def test_of_a_pretrained_model_every_file_counts(llama):
    name = parse_model(str(llama))
    assert [path for _, path in list_parts(name)] == list(inspect(name).files)
