"""Models that cannot be a reference end a command before its work: one line, exit code 2."""

import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tests.flows.invoking import invoke
from tests.flows.recipe.test_schema import write
from tests.hub import fake_hub
from tests.tiny_models import train_bpe, write_model
from weighting.errors import AssayError

__all__ = ["fake_hub"]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Return the folder of a model of a kind, written once."""
    root = tmp_path_factory.mktemp("models")

    def find(kind):
        folder = root / kind
        return folder if folder.exists() else write_model(folder, kind)

    return find


@pytest.fixture
def refused(small_corpus, tmp_path):
    """Return what a run says, and does not do, whose reference is a model."""

    def run(model, text=""):
        recipe = write(tmp_path, f'name = "x"\n[reference]\nmodel = "{model}"\nshort = 0\n{text}')
        with pytest.raises(AssayError) as caught:
            invoke("curate", *small_corpus, "--out", tmp_path / "run", "--recipe", recipe)
        assert caught.value.exit_code == 2
        assert "\n" not in str(caught.value)
        assert not (tmp_path / "run" / "run.json").exists()
        return str(caught.value)

    return run


@pytest.mark.parametrize("kind", ["classifier", "bert", "t5"])
def test_what_is_no_causal_language_model(models, refused, kind):
    assert f"{models(kind)}: no causal language model (" in refused(models(kind))


@pytest.fixture
def copied(models, tmp_path):
    """The folder of a model to damage."""
    return shutil.copytree(models("llama"), tmp_path / "copied")


def test_a_model_without_a_tokenizer(copied, refused):
    (copied / "tokenizer.json").unlink()
    assert "a model without a tokenizer" in refused(copied)


def test_a_vocabulary_that_does_not_fit(copied, refused):
    train_bpe(vocab=400).save(str(copied / "tokenizer.json"))
    message = refused(copied)
    assert str(copied) in message
    assert "do not belong together" in message


def test_parameters_that_are_no_numbers(copied, refused):
    path = copied / "model.safetensors"
    tensors = load_file(path)
    save_file({name: np.full_like(one, np.nan) for name, one in tensors.items()}, path)
    assert "its logits are no numbers; its parameters are damaged" in refused(copied)


def test_parameters_that_are_cut_short(copied, refused):
    path = copied / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    assert "model.safetensors: has " in refused(copied)


def test_foreign_code(copied, refused):
    path = copied / "config.json"
    own = {"architectures": ["OwnLM"], "model_type": "own", "auto_map": {"AutoConfig": "own.Own"}}
    path.write_text(json.dumps(json.loads(path.read_text()) | own))
    (copied / "own.py").write_text("raise SystemExit('this code was run')")
    assert "foreign code is never run" in refused(copied)


def test_a_file_that_is_no_gguf_file(tmp_path, refused):
    (tmp_path / "a.gguf").write_bytes(b"GGUF\3\0\0\0")
    assert "no GGUF file, or cut short" in refused(tmp_path / "a.gguf")


def test_a_second_model_of_another_tokenizer(models, tmp_path, refused):
    other = write_model(tmp_path / "other", tokenizer=train_bpe(vocab=290))
    message = refused(models("llama"), f'second = "{other}"')
    assert "reads by another tokenizer than" in message


def test_a_second_model_of_others_beside_one_that_is_trained(models, tmp_path, small_corpus):
    text = f'name = "x"\n[reference]\nsecond = "{models("llama")}"\nshort = 0\n'
    recipe = write(tmp_path, f"{text}[reference.train]\nsteps = 60\n")
    with pytest.raises(AssayError, match="type by type with the one that the run trains"):
        invoke("curate", *small_corpus, "--out", tmp_path / "run", "--recipe", recipe)


@pytest.mark.parametrize("library", ["transformers", "gguf", "huggingface_hub"])
def test_without_the_extra(models, tmp_path, refused, monkeypatch, library):
    (tmp_path / "a.gguf").write_bytes(b"GGUF")
    named = {"transformers": models("llama"), "gguf": tmp_path / "a.gguf"}
    name = str(named.get(library, "owner/small@main"))
    monkeypatch.setattr(
        "trainer.scoring.hub.find_spec", lambda wanted: None if wanted == library else wanted
    )
    message = refused(name)
    assert message.startswith(f"{name}: {library} loads it, which is not installed; pip install")


def test_too_little_memory(models, refused, monkeypatch):
    monkeypatch.setattr("flows.operations.memory.find_free_memory", lambda device: 500_000_000)
    message = refused(models("llama"))
    assert message.startswith("the models take 0.8 GB of memory, and 0.5 GB are free; name smaller")


def test_what_the_hub_does_not_give(refused, fake_hub):
    assert "not on the hub" in refused("owner/small@main")
    fake_hub.refuse(403, "GatedRepo")
    assert "its owner asks for consent" in refused("owner/small@main")


def test_no_network_for_a_name_of_the_hub(refused, fake_hub, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    assert "gives no answer" in refused("owner/small@main")
