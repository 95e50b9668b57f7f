"""Models of others: what they say of tokens, against one forward pass for every single token."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.tiny_models import CONTEXT, build_model, write_model
from trainer.scoring.carrier import Stream
from trainer.scoring.measuring import measure
from trainer.scoring.predictions import Readout, WholeLogits
from trainer.scoring.pretrained import load_pretrained
from weighting.errors import AssayError
from weighting.signals.model_names import ModelKind, ModelName, parse_model

BEGIN = 0
SIZES = (3, 41, 24, 1, 30)
OFFSETS = np.cumsum([0, *SIZES])
CAUSAL = ("llama", "tied", "gpt2", "bloom", "gemma2", "phi", "mamba")
WHOLE = ("gemma2", "phi")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return the folder of a model of a kind, written once."""
    root, written = tmp_path_factory.mktemp("models"), {}

    def find(kind):
        if kind not in written:
            written[kind] = write_model(root / kind, kind)
        return written[kind]

    return find


def load(path, context=CONTEXT):
    name = ModelName(ModelKind.FOLDER, str(path))
    return load_pretrained(name, "a" * 64, "cpu", context)


def draw_stream(vocab):
    ids = np.random.default_rng(0).integers(1, vocab, OFFSETS[-1])
    ids[OFFSETS[1:] - 1] = BEGIN
    return Stream(ids, OFFSETS, BEGIN)


@torch.inference_mode()
def lose_slowly(model, stream, context, stride, within=None):
    """Return the loss of each token, by a pass of its own on what it may see.

    `within` is the context and stride of the windows whose positions the inputs have.
    """
    losses = []
    for start, stop in zip(stream.offsets_D1[:-1], stream.offsets_D1[1:], strict=True):
        inputs = [stream.begin_id, *stream.ids_M[start : stop - 1].tolist()]
        for at in range(len(inputs)):
            first = max(0, -(-(at + 1 - context) // stride)) * stride
            given = {"input_ids": torch.tensor([inputs[first : at + 1]]), "use_cache": False}
            if within is not None:
                given["position_ids"] = place(first, at, within)[None]
            logits = model(**given).logits[0, -1].double()
            losses.append(-logits.log_softmax(0)[stream.ids_M[start + at]].item())
    return np.array(losses)


def place(first, at, within):
    """Return the positions of inputs `first` to `at`, in the windows of a long context."""
    context, stride, short = within
    scored = first + (short if first else 0)  # the first target that the short window scores
    begin = max(0, -(-(scored + 1 - context) // stride)) * stride
    return torch.arange(first, at + 1) - min(first, max(begin, first + 2 * short - context))


@pytest.mark.parametrize("kind", CAUSAL)
def test_losses_and_entropies_are_those_of_single_tokens(folder, kind):
    model = load(folder(kind))
    stream = draw_stream(model.types)
    measured = measure(model, stream)
    slowly = lose_slowly(model.model, stream, CONTEXT, CONTEXT // 2)
    np.testing.assert_allclose(measured.nll_N, slowly, atol=2e-4)
    assert measured.nll_N.std() > 0.3
    assert (measured.entropy_N < np.log(model.types) + 1e-4).all()


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_a_short_context_stands_where_it_stood(folder, kind):
    model, short = load(folder(kind)), 3
    stream = draw_stream(model.types)
    measured = measure(model, stream, short)
    assert measured.short_N is not None
    within = (CONTEXT, CONTEXT // 2, short)
    slowly = lose_slowly(model.model, stream, 2 * short, short, within)
    np.testing.assert_allclose(measured.short_N, slowly, atol=2e-4)
    moved = lose_slowly(model.model, stream, 2 * short, short)
    same = np.allclose(measured.short_N, moved, atol=1e-2)
    assert same == (kind == "llama")  # distances alone, or learnt positions


@pytest.mark.parametrize("kind", CAUSAL)
def test_logits_come_in_tiles_where_one_product_makes_them(folder, kind):
    model = load(folder(kind))
    inputs, cells = torch.arange(6).view(2, 3), torch.tensor([5, 0])
    predictions = model.read(inputs, torch.zeros(2, dtype=torch.int64), cells)
    assert isinstance(predictions, WholeLogits if kind in WHOLE else Readout)
    logits = model.model(input_ids=inputs).logits.flatten(0, 1)[cells]
    tile = predictions.tile(slice(None), slice(2, 9))
    torch.testing.assert_close(tile, logits[:, 2:9], atol=1e-4, rtol=1e-4)


def test_two_models_of_one_tokenizer_disagree(folder, tmp_path):
    model, other = load(folder("llama")), load(write_model(tmp_path / "other", "llama", seed=1))
    stream = draw_stream(model.types)
    found = measure(model, stream, second=other).disagreement_N
    assert found is not None
    assert (found > 0).all()
    itself = measure(model, stream, second=model).disagreement_N
    assert itself is not None
    assert not itself.any()


def test_the_same_documents_give_the_same_bytes(folder):
    first, again = (measure(load(folder("llama")), draw_stream(300), 3) for _ in range(2))
    for one, other in zip(first[:3], again[:3], strict=True):
        assert np.asarray(one).tobytes() == np.asarray(other).tobytes()


def test_a_model_sees_what_is_asked_for_and_no_more_than_it_can(folder):
    assert load(folder("llama"), 8).context == 8
    assert load(folder("llama"), 4096).context == CONTEXT
    assert load(folder("mamba"), 4096).context == 4096


@pytest.mark.parametrize("kind", ["bert", "t5", "classifier"])
def test_what_is_no_causal_language_model_is_refused(folder, kind):
    with pytest.raises(AssayError, match=rf"{kind}.*no causal language model"):
        load(folder(kind))


def test_a_model_that_looks_ahead_is_refused(folder, tmp_path):
    from transformers import BertConfig, BertLMHeadModel

    write_model(tmp_path)  # for its tokenizer
    fields = build_model("bert", 300).config.to_dict() | {"is_decoder": False}
    BertLMHeadModel(BertConfig.from_dict(fields)).save_pretrained(tmp_path)
    with pytest.raises(AssayError, match="depends on later ones"):
        load(tmp_path)


def test_damaged_and_missing_parameters_are_told(folder, tmp_path):
    for fault, words in (("nan", "no numbers"), ("missing", "are missing, model.norm.weight")):
        path = write_model(tmp_path / fault)
        tensors = load_file(path / "model.safetensors")
        if fault == "nan":
            tensors["model.norm.weight"][0] = torch.nan
        else:
            del tensors["model.norm.weight"]
        save_file(tensors, path / "model.safetensors", {"format": "pt"})
        with pytest.raises(AssayError, match=words):
            load(path)
    (path / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(AssayError, match="cut short"):
        load(path)


def test_nothing_is_asked_of_a_network_and_no_code_is_run(folder, tmp_path, monkeypatch):
    def refuse(*_):
        raise AssertionError("asked a network")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    assert load(folder("llama")).parameters > 0
    assert parse_model(str(folder("llama"))).kind is ModelKind.FOLDER
