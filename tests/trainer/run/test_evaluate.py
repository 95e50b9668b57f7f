"""Validation loss by hand: per token, per byte, by frequency."""

import math
from dataclasses import asdict, dataclass, field, replace

import numpy as np
import pytest
import torch
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers

from trainer.data.corpus import open_corpus
from trainer.data.loader import IGNORED
from trainer.data.packing import pack
from trainer.machine.process_group import ALONE, Ranks
from trainer.machine.resources import resolve
from trainer.models import build_model
from trainer.models.language_model import LanguageModel
from trainer.objectives.tokens import token_nll
from trainer.run.evaluate import (
    build_evaluator,
    choose_windows,
    count_bytes,
    score_windows,
    split_by_frequency,
)
from weighting.errors import AssayError
from weighting.storage.files import sha256

# Ids 0 to 5. Byte-level spelling: Ġ is a space, Ã© are the two bytes of é.
VOCABULARY = {"<end>": 0, "a": 1, "Ġ": 2, "Ãī": 3, "abc": 4, "b": 5}


@pytest.fixture
def tokenizer(tmp_path):
    built = Tokenizer(models.BPE(vocab=VOCABULARY, merges=[], unk_token=None))
    built.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    built.add_special_tokens(["<end>"])
    built.add_tokens([AddedToken("ünd")])
    path = tmp_path / "run" / "tokenizer.json"
    path.parent.mkdir()
    built.save(str(path))
    return path


class Fixed(LanguageModel):
    """A model that predicts one distribution everywhere."""

    def __init__(self, config, probabilities_V):
        super().__init__(config, len(probabilities_V), [])
        self.head.bias = torch.nn.Parameter(torch.tensor(probabilities_V).log())
        torch.nn.init.zeros_(self.head.weight)


def evaluate(folder, config, probabilities=(1 / 32,) * 32, ranks=ALONE):
    config = resolve(replace(config, shards=str(folder)), ALONE)
    evaluator = build_evaluator(open_corpus(str(folder)), config, ranks)
    return evaluator.evaluate(Fixed(config.model, probabilities), 1)


def random_model(config, seed=0):
    """A model whose predictions depend on what it sees."""
    model = build_model(config.model, 32, seed)
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, 0, 0.5, generator=generator)
    return model


def test_bytes_of_a_byte_level_vocabulary(tokenizer):
    # The added token ünd (id 6) is spelt as text: u-umlaut has two bytes.
    assert np.array_equal(np.asarray(count_bytes(tokenizer, 7)), [0, 1, 1, 2, 3, 1, 4])


def test_losses_by_hand(tokenizer, write_corpus, tiny):
    folder = write_corpus(
        # Target counts: 80 of type 1, 15 of type 2, 5 of type 4.
        train=[[[1] * 80 + [2] * 15 + [4] * 5]],
        validation=[[[1, 4, 2], [3, 1, 0]]],
        tokenizer=sha256(tokenizer),
        vocab=7,
    )
    row = evaluate(folder, tiny, [0.1, 0.4, 0.2, 0.1, 0.1, 0.1, 1e-9])
    nll = [-math.log(p) for p in (0.4, 0.1, 0.2, 0.1, 0.4, 0.1)]
    assert row.validation_tokens == 6
    assert row.validation_nll == pytest.approx(sum(nll) / 6, rel=1e-6)
    # 1 + 3 + 1 + 2 + 1 bytes, and none for the end of the document.
    assert row.bits_per_byte == pytest.approx(sum(nll) / math.log(2) / 8, rel=1e-6)
    assert row.nll_high == pytest.approx(-math.log(0.4), rel=1e-6)
    assert row.nll_medium == pytest.approx(-math.log(0.2), rel=1e-6)
    assert row.nll_low == pytest.approx(-math.log(0.1), rel=1e-6)


def test_weights_of_the_validation_split_do_not_count(write_corpus, tiny):
    rows = [
        evaluate(write_corpus(name, weigh=weigh), tiny)
        for name, weigh in (("ones", np.ones_like), ("sevens", lambda ids: ids * 0.0 + 7.0))
    ]
    assert rows[0] == rows[1]
    assert rows[0].validation_nll == pytest.approx(math.log(32), rel=1e-6)


def test_without_a_tokenizer_there_are_no_bytes(corpus, tiny):
    assert evaluate(corpus, tiny).bits_per_byte is None


def test_a_bucket_without_targets_has_no_loss(write_corpus, tiny):
    folder = write_corpus(train=[[[1] * 9 + [2]]], validation=[[[1, 1, 1]]])
    assert evaluate(folder, tiny).nll_low is None


@pytest.mark.parametrize("mask_documents", [False, True])
def test_scores_of_windows_are_those_of_the_whole_model(corpus, tiny, monkeypatch, mask_documents):
    monkeypatch.setattr("trainer.run.evaluate.BATCH_TOKENS", 20)  # three windows of 8
    monkeypatch.setattr("trainer.run.evaluate.HEAD_TOKENS", 5)
    config = resolve(replace(tiny, model=replace(tiny.model, mask_documents=mask_documents)), ALONE)
    stream, model = open_corpus(str(corpus)).validation, random_model(config)
    packing = pack(stream, "best-fit", 8)
    rows_W = np.arange(packing.windows)[::-1]
    batches = list(score_windows(model, stream, packing, rows_W, config))
    assert np.concatenate([batch.rows_B for batch, _ in batches]).tolist() == rows_W.tolist()
    assert {len(batch.rows_B) for batch, _ in batches[:-1]} == {3}
    for batch, nll in batches:
        assert (batch.documents_BxT is not None) == mask_documents
        logits = model(batch.inputs_BxT, batch.documents_BxT)
        torch.testing.assert_close(nll, token_nll(logits, batch.targets_BxT).detach())
        assert not nll[batch.targets_BxT == IGNORED].any()
        assert not nll.requires_grad


def test_masked_documents_change_what_a_model_sees(corpus, tiny):
    rows = [
        build_evaluator(open_corpus(str(corpus)), config).evaluate(random_model(config), 1)
        for mask in (False, True)
        for config in [
            resolve(replace(tiny, model=replace(tiny.model, mask_documents=mask)), ALONE)
        ]
    ]
    assert rows[0].validation_tokens == rows[1].validation_tokens
    assert rows[0].validation_nll != rows[1].validation_nll


def test_all_models_are_judged_on_the_same_windows(corpus, tiny):
    rows = [
        build_evaluator(open_corpus(str(corpus)), config).evaluate(random_model(config), 1)
        for packing, batch in (("stream", 4), ("best-fit", 2))
        for config in [resolve(replace(tiny, packing=packing, batch=batch), ALONE)]
    ]
    assert rows[0] == rows[1]


@dataclass(frozen=True)
class Among(Ranks):
    """One of several processes, which knows the sums of those before it and passes on its own."""

    total: list[torch.Tensor] = field(default_factory=list)

    def sum(self, tensor):
        self.total.append(tensor.clone())
        return tensor.copy_(sum(self.total))


@pytest.mark.parametrize("count", [2, 3, 50])
def test_processes_share_the_windows(corpus, tiny, count):
    config = resolve(tiny, ALONE)
    model, opened, total = random_model(config), open_corpus(str(corpus)), []
    alone = build_evaluator(opened, config).evaluate(model, 1)
    for rank in range(count):
        row = build_evaluator(opened, config, Among(rank, count, 0, total))
        last = row.evaluate(model, 1)
    known = [name for name, value in asdict(alone).items() if value is not None]
    assert "bits_per_byte" not in known
    for name in known:
        assert getattr(last, name) == pytest.approx(getattr(alone, name), rel=1e-6)
    assert last.validation_tokens == alone.validation_tokens
    assert len(total) == count


def test_buckets_cover_80_15_and_5_percent():
    # Sorted: id 2 (50), id 0 (30), id 3 (15), id 1 (5), id 4 (0).
    assert split_by_frequency(np.array([30, 5, 50, 15, 0])).tolist() == [0, 2, 0, 1, 2]


def test_a_type_that_straddles_a_border_belongs_to_the_more_frequent_bucket():
    assert split_by_frequency(np.array([79, 2, 19])).tolist() == [0, 2, 0]


@pytest.mark.parametrize(
    ("windows", "eval_tokens", "expected"),
    [(5, 0, [0, 1, 2, 3, 4]), (10, 16, [0, 5]), (10, 17, [0, 3, 6]), (3, 999, [0, 1, 2])],
)
def test_a_cap_takes_windows_from_everywhere(windows, eval_tokens, expected):
    assert choose_windows(windows, 8, eval_tokens).tolist() == expected


def test_another_tokenizer_than_the_shards_own_is_refused(tokenizer, write_corpus, tiny):
    corpus = open_corpus(str(write_corpus()))
    with pytest.raises(AssayError, match="not the tokenizer of the shards"):
        build_evaluator(corpus, resolve(replace(tiny, tokenizer=str(tokenizer)), ALONE))


def test_bytes_of_a_character_vocabulary(tmp_path):
    path = tmp_path / "tokenizer.json"
    built = Tokenizer(models.WordLevel({"a": 0, "é": 1, "Ġ": 2}))
    built.add_special_tokens(["<end>"])
    built.save(str(path))
    assert np.array_equal(np.asarray(count_bytes(path, 4)), [1, 2, 2, 0])


@pytest.mark.parametrize(
    "model", [models.WordLevel({"word": 0}, unk_token="word"), models.Unigram([("▁word", 0.0)])]
)
def test_a_tokenizer_that_knows_neither_bytes_nor_characters_says_no_bytes(tmp_path, model):
    path = tmp_path / "tokenizer.json"
    Tokenizer(model).save(str(path))
    assert count_bytes(path, 1) is None


def test_bytes_of_a_vocabulary_that_writes_the_unknown_as_bytes(tmp_path):
    path = tmp_path / "tokenizer.json"
    vocab = {f"<0x{byte:02X}>": byte for byte in range(256)} | {"▁é": 256, "<unk>": 257}
    built = Tokenizer(models.BPE(vocab, [], unk_token="<unk>", byte_fallback=True))
    built.normalizer = normalizers.Replace(" ", "▁")
    built.save(str(path))
    assert np.array_equal(np.asarray(count_bytes(path, 258)), [1] * 256 + [3, 5])


def test_a_tokenizer_larger_than_the_vocabulary_is_refused(tokenizer):
    with pytest.raises(AssayError, match="id 6 is outside the shards' 6 types"):
        count_bytes(tokenizer, 6)
