"""Exported checkpoints in the real library: the same logits, the same text, whole or not at all."""

import errno
import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from tokenizers import Tokenizer

from tests.trainer.exports import (
    END,
    INFO,
    TEXTS,
    load_library,
    write_data,
    write_run,
    write_tokenizer,
)
from trainer import export as export_module
from trainer.config.schema import ModelConfig
from trainer.export import export
from trainer.models.mamba2 import CHUNK
from weighting.errors import AssayError

GPT = ModelConfig(layers=2, width=32, heads=2, context=24)
MAMBA = ModelConfig(architecture="mamba2", layers=2, width=16, heads=4, context=24, state=8)
SHAPES = [
    GPT,
    ModelConfig(layers=1, width=6, heads=1, context=5),
    ModelConfig(layers=3, width=48, heads=8, context=300, vocab=64),
    ModelConfig(layers=2, width=16, heads=2, context=16, mask_documents=True),
    MAMBA,
    ModelConfig(architecture="mamba2", layers=1, width=8, heads=1, context=2 * CHUNK + 3),
    ModelConfig(
        architecture="mamba2", layers=3, width=24, heads=6, context=CHUNK, state=3, vocab=64
    ),
]


@pytest.fixture(scope="module")
def library():
    return load_library()


def load(library, folder: Path):
    model, report = library.AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert not any(report.values()), report
    assert model.dtype == torch.float32
    return model.eval()


def draw_ids(config: ModelConfig, rows: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, INFO.vocab_size, (rows, config.context), generator=generator)


@torch.no_grad()
def assert_same_logits(ours, theirs, ids_BxT):
    logits_BxTxV = ours(ids_BxT)
    assert logits_BxTxV.std() > 0.3  # else equal would mean little
    torch.testing.assert_close(theirs(ids_BxT).logits, logits_BxTxV, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "config", SHAPES, ids=lambda config: f"{config.architecture}-{config.width}"
)
def test_logits_are_ours(library, config, tmp_path):
    ours = write_run(tmp_path / "run", config)
    theirs = load(library, export(tmp_path / "run", tmp_path / "out", model_only=True))
    assert theirs.config.vocab_size == max(INFO.vocab_size, config.vocab)
    assert_same_logits(ours, theirs, draw_ids(config))


@pytest.mark.parametrize("config", [GPT, MAMBA], ids=["gpt", "mamba2"])
def test_the_librarys_own_copy_is_still_ours(library, config, tmp_path):
    ours = write_run(tmp_path / "run", config)
    load(library, export(tmp_path / "run", tmp_path / "out", model_only=True)).save_pretrained(
        tmp_path / "copy"
    )
    assert_same_logits(ours, load(library, tmp_path / "copy"), draw_ids(config))


@pytest.mark.parametrize("config", [GPT, MAMBA], ids=["gpt", "mamba2"])
def test_greedy_text_is_ours(library, config, tmp_path):
    ours = write_run(tmp_path / "run", config)
    theirs = load(library, export(tmp_path / "run", tmp_path / "out", model_only=True))
    ids_BxT = draw_ids(config, rows=2)[:, :6]
    # With its cache the library takes other paths than for a whole row.
    found = theirs.generate(ids_BxT, max_new_tokens=10, do_sample=False, use_cache=True)
    for _ in range(10):
        with torch.no_grad():
            ids_BxT = torch.cat([ids_BxT, ours(ids_BxT)[:, -1:].argmax(-1)], dim=1)
    assert found.tolist() == ids_BxT.tolist()


def test_norms_have_the_same_epsilon(library, tmp_path):
    write_run(tmp_path / "run", GPT)
    write_run(tmp_path / "mamba", MAMBA)
    eps = torch.finfo(torch.float32).eps
    theirs = load(library, export(tmp_path / "run", tmp_path / "out", model_only=True))
    assert {m.eps for m in theirs.modules() if hasattr(m, "eps")} == {eps}
    theirs = load(library, export(tmp_path / "mamba", tmp_path / "out2", model_only=True))
    found = {m.variance_epsilon for m in theirs.modules() if hasattr(m, "variance_epsilon")}
    assert found == {eps}


@pytest.fixture
def data(tmp_path):
    """A folder of shards and their tokenizer, and what the shards say of themselves."""
    return tmp_path / "data", write_data(tmp_path / "data")


@pytest.mark.parametrize("config", [GPT, MAMBA], ids=["gpt", "mamba2"])
def test_the_tokenizer_comes_along(library, data, config, tmp_path):
    folder, info = data
    write_run(tmp_path / "run", config, info, str(folder / "shards"))
    out = export(tmp_path / "run", tmp_path / "out")
    ours = Tokenizer.from_file(str(folder / "tokenizer.json"))
    theirs = library.AutoTokenizer.from_pretrained(out)
    for text in TEXTS:
        assert theirs(text).input_ids == ours.encode(text).ids
        assert theirs.decode(theirs(text).input_ids) == text
    assert (theirs.eos_token, theirs.eos_token_id) == (END, info.eos_id)
    prompt = theirs(TEXTS[0], return_tensors="pt")
    whole = load(library, out).generate(**prompt, max_new_tokens=2, min_new_tokens=2)[0]
    assert whole[:-2].tolist() == ours.encode(TEXTS[0]).ids


def test_generation_stops_at_the_end_of_text(library, tmp_path):
    write_run(tmp_path / "run", GPT)
    model = load(library, export(tmp_path / "run", tmp_path / "out", model_only=True))
    state = model.model(torch.tensor([[5]])).last_hidden_state[0, 0]
    with torch.no_grad():
        model.lm_head.weight.zero_()
        model.lm_head.weight[INFO.eos_id] = state
    assert model.generate(torch.tensor([[5]]), max_new_tokens=9)[0].tolist() == [5, INFO.eos_id]
    # A padding id of the model would freeze that row of the embedding.
    assert model.config.pad_token_id is None
    assert model.generation_config.pad_token_id == INFO.eos_id


def test_without_a_tokenizer_there_is_a_model_alone_if_that_is_wanted(tmp_path):
    write_run(tmp_path / "run", GPT)
    with pytest.raises(AssayError, match=r"its tokenizer is not found .*--tokenizer.*--model-only"):
        export(tmp_path / "run", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    out = export(tmp_path / "run", tmp_path / "out", model_only=True)
    names = ["config.json", "generation_config.json", "model.safetensors"]
    assert sorted(path.name for path in out.iterdir()) == names


def test_the_folder_says_where_it_comes_from(tmp_path):
    write_run(tmp_path / "run", GPT)
    out = export(tmp_path / "run", tmp_path / "new" / "out", model_only=True)
    origin = json.loads((out / "config.json").read_text())["assay"]
    data = {"tokenizer_sha256": "0" * 64, "vocab_size": 50, "eos_id": 3}
    assert (origin["step"], origin["tokens"]) == (7, 700)
    assert data.items() <= origin["data"].items()
    with safe_open(out / "model.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt"}
    assert [path.name for path in out.parent.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (ModelConfig(positions="alibi"), "gpt with alibi has no exact counterpart"),
        (ModelConfig(architecture="lstm"), "lstm has no exact counterpart"),
    ],
)
def test_models_without_a_counterpart_are_refused(config, message, tmp_path):
    write_run(tmp_path / "run", config)
    with pytest.raises(AssayError, match=message):
        export(tmp_path / "run", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_in_use_is_left_alone(tmp_path):
    write_run(tmp_path / "run", GPT)
    out = tmp_path / "out"
    out.mkdir()
    export(tmp_path / "run", out, model_only=True)  # empty is as good as new
    before = {path: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(AssayError, match="out: not empty; give a new folder"):
        export(tmp_path / "run", out)
    assert {path: path.read_bytes() for path in out.iterdir()} == before
    with pytest.raises(AssayError, match=r"config\.json: not empty"):
        export(tmp_path / "run", out / "config.json")


def test_no_run_no_export(tmp_path):
    with pytest.raises(AssayError, match="nowhere: no checkpoint here"):
        export(tmp_path / "nowhere", tmp_path / "out")


def test_a_tokenizer_can_be_named(data, tmp_path):
    folder, info = data
    write_run(tmp_path / "run", GPT, info, str(folder / "shards"))
    content = (folder / "tokenizer.json").read_bytes()
    named = folder.rename(tmp_path / "moved") / "tokenizer.json"
    with pytest.raises(AssayError, match=r"its tokenizer is not found \(.*data/shards"):
        export(tmp_path / "run", tmp_path / "out")
    out = export(tmp_path / "run", tmp_path / "out", named)
    assert (out / "tokenizer.json").read_bytes() == content


def test_another_tokenizer_is_refused(data, tmp_path):
    folder, info = data
    write_run(tmp_path / "run", GPT, info, str(folder / "shards"))
    write_tokenizer(folder / "tokenizer.json", end="<eos>")
    with pytest.raises(AssayError, match=r"tokenizer\.json: not the tokenizer of the shards"):
        export(tmp_path / "run", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def refuse(path):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    write_run(tmp_path / "run", GPT)
    monkeypatch.setattr(export_module, "sync", refuse)
    with pytest.raises(AssayError, match=r"out: cannot be written \(No space left on device\)"):
        export(tmp_path / "run", tmp_path / "out", model_only=True)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
