"""Scores of trained models, against one forward pass for every single token."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.trainer.conftest import TOKENIZER, VOCAB
from tests.trainer.records import make_record
from trainer.config.schema import ModelConfig, TrainConfig
from trainer.machine import resources
from trainer.machine.process_group import ALONE
from trainer.models import build_model
from trainer.models.gpt import GPTBlock
from trainer.run import checkpoint
from trainer.run.checkpoint import find_newest, find_spread
from trainer.run.train import train
from trainer.scoring import measuring
from trainer.scoring.predictions import BATCH_TOKENS, predict
from trainer.scoring.reference import load_checkpoint
from trainer.scoring.scorer import Scorer, ScorerSettings
from trainer.scoring.used import UsedModels
from weighting.errors import AssayError
from weighting.signals.model_settings import ModelSettings
from weighting.storage.files import sha256
from weighting.storage.json_records import from_json, to_json

EOS = 0
CONTEXT = 12
GPT = ModelConfig("gpt", layers=1, width=16, heads=2, context=CONTEXT)
MODELS = {
    "rope": GPT,
    "alibi": replace(GPT, positions="alibi"),
    "masked": replace(GPT, mask_documents=True),
    "lstm": replace(GPT, architecture="lstm"),
    "mamba2": replace(GPT, architecture="mamba2", state=8),
}
SIZES = (3, 31, 12, 1, 13, 18, 7)
OFFSETS = np.cumsum([0, *SIZES], dtype=np.int64)


@pytest.fixture
def write_run(tmp_path):
    def write(
        name: str = "reference",
        model: ModelConfig = GPT,
        steps: tuple[int, ...] = (1,),
        vocab: int = VOCAB,
        tokenizer: str = TOKENIZER,
        precision: str = "float32",
        seed: int = 0,
    ) -> Path:
        """Write a run whose checkpoints have random weights, other ones at each step."""
        config = TrainConfig(model=model, device="cpu", threads=1, precision=precision)
        config = resources.resolve(config, ALONE)
        for step in steps:
            record = make_record(step, config, vocab_size=vocab, tokenizer_sha256=tokenizer)
            weights = randomise(build_model(model, vocab, seed=0), 1000 * seed + step)
            files = {"model": weights.state_dict()}
            checkpoint.save(tmp_path / name / "checkpoints", record, files, keep=99)
        return tmp_path / name

    return write


def randomise(model, seed):
    """Draw the matrices anew: those that are zero at first would hide what tokens see."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                scale = 1.5 * parameter.shape[-1] ** -0.5
                parameter.normal_(0.0, scale, generator=generator)
    return model


def draw_ids(offsets=OFFSETS, seed=0):
    ids = np.random.default_rng(seed).integers(1, VOCAB, offsets[-1]).astype(np.uint16)
    ids[offsets[1:] - 1] = EOS
    return ids


def make_settings(run, threads=1, **settings):
    return ScorerSettings(ModelSettings(str(run), **settings), "cpu", threads)


def score(run, ids=None, offsets=OFFSETS, tokenizer=TOKENIZER, **settings):
    scorer = Scorer(make_settings(run, **settings), tokenizer)
    values = scorer.score(draw_ids() if ids is None else ids, offsets, EOS)
    assert tuple(values) == scorer.signals
    assert all(one.dtype == np.float32 and len(one) == offsets[-1] for one in values.values())
    return values


@torch.inference_mode()
def predict_slowly(path, ids, offsets, context=CONTEXT, stride=CONTEXT // 2):
    """The prediction for each token, p_NxV, by a forward pass of its own on what it may see."""
    model, _ = load_checkpoint(path, "cpu")
    rows = []
    for start, stop in pairwise(offsets):
        inputs = [EOS, *ids[start : stop - 1].tolist()]
        for at in range(len(inputs)):
            windows = max(0, -(-(at + 1 - context) // stride))
            rows.append(model(torch.tensor([inputs[windows * stride : at + 1]]))[0, -1])
    return torch.stack(rows).double().softmax(-1)


def lose(p_NxV, ids):
    return -p_NxV[torch.arange(len(ids)), torch.from_numpy(ids.astype(np.int64))].log().numpy()


def doubt(p_NxV):
    return torch.special.entr(p_NxV).sum(-1).numpy()


@pytest.mark.parametrize("name", MODELS)
def test_losses_and_entropies_are_those_of_single_tokens(write_run, name):
    run, ids = write_run(model=MODELS[name]), draw_ids()
    p_NxV = predict_slowly(find_newest(run), ids, OFFSETS)
    values = score(run, ids)
    np.testing.assert_allclose(values["nll"], lose(p_NxV, ids), atol=2e-5)
    np.testing.assert_allclose(values["entropy"], doubt(p_NxV), atol=2e-5)


@pytest.mark.parametrize("name", ["rope", "mamba2"])
def test_context_gain_is_what_the_far_tokens_are_worth(write_run, name):
    run, ids, short = write_run(model=MODELS[name]), draw_ids(), 3
    newest = find_newest(run)
    near = lose(predict_slowly(newest, ids, OFFSETS, 2 * short, short), ids)
    far = lose(predict_slowly(newest, ids, OFFSETS), ids)
    gain_N = score(run, ids, short=short)["context_gain"]
    np.testing.assert_allclose(gain_N, near - far, atol=4e-5)
    place_N = np.arange(len(ids)) - np.repeat(OFFSETS[:-1], SIZES)
    assert (gain_N[place_N < 2 * short] == 0).all()
    assert (gain_N[place_N >= 2 * short] != 0).all()


def test_a_loss_belongs_to_its_target(write_run):
    """A model that knows one thing: after a type comes the next one."""
    run = write_run(model=replace(GPT, width=VOCAB))
    path = find_newest(run)
    model, record = load_checkpoint(path, "cpu")
    with torch.no_grad():
        block = model.blocks[0]
        assert isinstance(block, GPTBlock)
        block.initialise(torch.Generator())  # what it adds is zero: logits are of the input alone
        model.embedding.weight.copy_(torch.eye(VOCAB))
        model.head.weight.copy_(torch.eye(VOCAB).roll(1, 0))
    checkpoint.save(path.parent, replace(record, step=2), {"model": model.state_dict()}, keep=1)
    ids = np.array([1, 2, 3, 9, 10, 0, 1, 31, 0, 5, 0], np.uint16)
    known = np.array([1, 1, 1, 0, 1, 0, 1, 0, 1, 0, 0], bool)
    nll_N = score(run, ids, np.array([0, 6, 9, 11]))["nll"]
    assert (nll_N[known] < 0.2).all()
    assert (nll_N[~known] > 5).all()


def test_order_and_company_of_documents_change_nothing(write_run, monkeypatch):
    run, ids = write_run(steps=(1, 2, 3)), draw_ids()
    second = str(write_run("second", MODELS["lstm"]))
    settings = {"checkpoints": 3, "short": 3, "second": second}
    together = score(run, ids, **settings)
    monkeypatch.setitem(BATCH_TOKENS, "cpu", 30)
    for document, (start, stop) in enumerate(pairwise(OFFSETS)):
        alone = score(run, ids[start:stop], np.array([0, stop - start]), **settings)
        for name, values in alone.items():
            np.testing.assert_allclose(
                values, together[name][start:stop], atol=1e-5, err_msg=f"{name} of {document}"
            )


def test_the_same_documents_give_the_same_bytes(write_run):
    scorer = Scorer(make_settings(write_run(), short=2), TOKENIZER)
    first, again = (scorer.score(draw_ids(), OFFSETS, EOS) for _ in range(2))
    wide = scorer.score(draw_ids().astype(np.uint32), OFFSETS.astype(np.int32), EOS)
    for name, values in first.items():
        assert values.tobytes() == again[name].tobytes() == wide[name].tobytes()


def test_excess_and_change_follow_from_the_losses_of_the_checkpoints(write_run):
    steps = (10, 20, 30, 40, 70)
    run, ids = write_run(steps=steps), draw_ids()
    paths = find_spread(run, 3)
    assert [path.name[-2:] for path in paths] == ["10", "30", "70"]
    losses = np.stack([lose(predict_slowly(path, ids, OFFSETS), ids) for path in paths])
    values = score(run, ids, checkpoints=3)
    np.testing.assert_allclose(values["nll"], losses[-1], atol=2e-5)
    np.testing.assert_allclose(values["excess"], losses[0] - losses[-1], atol=4e-5)
    slope_N = np.polyfit([10, 30, 70], losses, 1)[0]
    np.testing.assert_allclose(values["change"], 60 * slope_N, atol=1e-4)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_checkpoints_are_spread_evenly_and_hold_both_ends(write_run, count):
    steps = (1, 2, 3, 4, 5)
    names = [int(path.name[-2:]) for path in find_spread(write_run(steps=steps), count)]
    assert names[-1] == 5
    assert count == 1 or names[0] == 1
    assert len(set(names)) == count
    assert max(np.diff(names), default=0) - min(np.diff(names), default=0) <= 1


def test_too_few_checkpoints_say_how_many_there_are(write_run):
    run = write_run(steps=(1, 2))
    with pytest.raises(AssayError, match=r"3 checkpoints .* kept 2; .* larger keep .* save_every"):
        score(run, checkpoints=3)


@pytest.mark.parametrize("name", ["rope", "lstm"])
def test_disagreement_of_two_architectures(write_run, name):
    run, ids = write_run(), draw_ids()
    second = write_run("second", replace(MODELS[name], context=20), seed=1, vocab=VOCAB)
    p, q = (predict_slowly(find_newest(one), ids, OFFSETS) for one in (run, second))
    expected = doubt((p + q) / 2) - (doubt(p) + doubt(q)) / 2
    found = score(run, ids, second=str(second))["disagreement"]
    np.testing.assert_allclose(found, expected, atol=2e-5)
    assert (found > 0).all()


def test_a_model_that_is_its_own_second_does_not_disagree(write_run):
    run = write_run()
    assert (score(run, second=str(run))["disagreement"] == 0).all()


def test_a_vocabulary_that_is_padded_is_no_obstacle(write_run):
    run = write_run(model=replace(GPT, vocab=VOCAB + 8))
    p_NxV = predict_slowly(find_newest(run), draw_ids(), OFFSETS)
    np.testing.assert_allclose(score(run)["nll"], lose(p_NxV, draw_ids()), atol=2e-5)


def test_a_run_in_low_precision_is_scored_in_it(write_run):
    ids = draw_ids()
    wide = score(write_run("wide"), ids)["nll"]
    narrow = score(write_run("narrow", precision="bfloat16"), ids)["nll"]
    np.testing.assert_allclose(narrow, wide, atol=0.1)
    assert not np.allclose(narrow, wide, atol=1e-4)


def test_a_trained_run_scores_its_own_corpus_better_than_chance(tiny, tmp_path):
    config = replace(tiny, steps=20, save_every=5, keep=4)
    train(config, tmp_path / "trained")
    # conftest's documents are sorted ids, low ones more frequent.
    ids = np.sort(np.random.default_rng(5).integers(0, VOCAB, (2, 12)), axis=0)[0]
    values = score(tmp_path / "trained", np.append(ids, EOS), np.array([0, 13]), checkpoints=4)
    assert values["excess"].mean() > 0.01
    assert values["change"].mean() < -0.01


def test_no_documents_have_no_scores(write_run):
    for offsets in ([0], [0, 0, 0]):
        values = score(write_run(), np.empty(0, np.uint16), np.array(offsets), short=3)
        assert all(len(one) == 0 for one in values.values())


def test_empty_documents_stand_between_others(write_run):
    ids, run = draw_ids(), write_run()
    gaps = np.repeat(OFFSETS, 2)
    assert score(run, ids)["nll"].tobytes() == score(run, ids, gaps)["nll"].tobytes()


def test_threads_are_those_asked_for_and_given_back(write_run, monkeypatch):
    seen = []

    def spy(*arguments):
        seen.append(torch.get_num_threads())
        return predict(*arguments)

    monkeypatch.setattr(measuring, "predict", spy)
    score(write_run(), threads=2)
    assert set(seen) == {2}
    assert torch.get_num_threads() == 1


def test_a_description_names_models_and_their_checksums(write_run):
    run, second = write_run(steps=(1, 2)), write_run("second", MODELS["lstm"])
    settings = make_settings(run, checkpoints=2, short=3, second=str(second))
    told = Scorer(settings, TOKENIZER).describe()
    assert from_json(UsedModels, json.loads(json.dumps(to_json(told)))) == told
    assert (told.model, told.context, told.precision) == (str(run), CONTEXT, "float32")
    assert [one.step for one in told.checkpoints] == [1, 2]
    assert told.checkpoints[1].sha256 == sha256(find_newest(run) / "model.safetensors")
    assert told.second is not None
    assert told.second.architecture == "lstm"
    assert told.parameters == sum(one.numel() for one in build_model(GPT, VOCAB, 0).parameters())


def test_another_tokenizer_is_refused_and_both_are_named(write_run):
    other = "f" * 64
    with pytest.raises(AssayError, match=rf"another tokenizer, SHA-256 {TOKENIZER}.* {other}"):
        score(write_run(), tokenizer=other)
    second = write_run("second", tokenizer=other)
    with pytest.raises(AssayError, match=r"second.*another tokenizer"):
        score(write_run(), second=str(second))


def test_documents_that_end_otherwise_are_refused(write_run):
    scorer = Scorer(make_settings(write_run()), TOKENIZER)
    scorer.check_end(EOS)
    with pytest.raises(AssayError, match="end with id 0, and the text's end with 1; set tokenizer"):
        scorer.score(draw_ids(), OFFSETS, EOS + 1)


def test_a_short_context_that_is_not_short_is_refused(write_run):
    score(write_run(), short=CONTEXT // 4)
    with pytest.raises(AssayError, match=r"short is 4: .* sees 12 tokens, .* at most 3"):
        score(write_run(), short=4)


def test_a_second_model_that_sees_less_is_refused(write_run):
    second = write_run("second", replace(GPT, context=8))
    with pytest.raises(AssayError, match=r"second model sees 8 tokens, the reference 12"):
        score(write_run(), second=str(second))


def test_an_id_beyond_the_vocabulary_is_refused(write_run):
    ids = draw_ids()
    ids[4] = VOCAB
    with pytest.raises(AssayError, match=rf"has {VOCAB} types, and the text holds id {VOCAB}"):
        score(write_run(), ids)


@pytest.mark.parametrize("field", [{"checkpoints": 0}, {"short": -1}, {"threads": 0}])
def test_fields_out_of_their_range_are_named(field):
    with pytest.raises(AssayError, match=f"{next(iter(field))} is .*, must be ≥"):
        make_settings("run", **field)


def test_a_device_that_is_not_there_is_named(write_run, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(AssayError, match="no CUDA device"):
        Scorer(ScorerSettings(ModelSettings(str(write_run())), "cuda"), TOKENIZER)


def test_a_folder_without_checkpoints_is_named(tmp_path):
    with pytest.raises(AssayError, match="no model is there"):
        score(tmp_path)
