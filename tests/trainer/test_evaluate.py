"""Validation loss by hand: per token, per byte, by frequency."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from tokenizers import AddedToken, Tokenizer, models

from trainer.corpus import open_corpus
from trainer.evaluate import build_evaluator, choose_windows, count_bytes, split_by_frequency
from weighting.errors import AssayError
from weighting.files import sha256

# Ids 0 to 5. Byte-level spelling: Ġ is a space, Ã© are the two bytes of é.
VOCABULARY = {"<end>": 0, "a": 1, "Ġ": 2, "Ãī": 3, "abc": 4, "b": 5}


@pytest.fixture
def tokenizer(tmp_path):
    built = Tokenizer(models.BPE(vocab=VOCABULARY, merges=[], unk_token=None))
    built.add_special_tokens(["<end>"])
    built.add_tokens([AddedToken("ünd")])
    path = tmp_path / "run" / "tokenizer.json"
    path.parent.mkdir()
    built.save(str(path))
    return path


def fixed_forward(probabilities_V):
    """A model that predicts one distribution everywhere."""
    logits_V = torch.tensor(probabilities_V).log()
    return lambda ids_BxT: logits_V.expand(*ids_BxT.shape, -1)


def test_bytes_of_a_byte_level_vocabulary(tokenizer):
    # The added token ünd (id 6) is spelt as text: u-umlaut has two bytes.
    assert count_bytes(tokenizer, 7).tolist() == [0, 1, 1, 2, 3, 1, 4]


def test_losses_by_hand(tokenizer, write_corpus, tiny):
    probabilities = [0.1, 0.4, 0.2, 0.1, 0.1, 0.1]
    folder = write_corpus(
        # Target counts: 80 of type 1, 15 of type 2, 5 of type 4.
        train=[[[0] + [1] * 80 + [2] * 15 + [4] * 5]],
        # Targets: 1, 4, 2, 3, 1, 0.
        validation=[[[5, 1, 4, 2], [3, 1, 0]]],
        tokenizer=sha256(tokenizer),
        vocab=7,
    )
    config = replace(tiny, shards=str(folder))
    evaluator = build_evaluator(open_corpus(str(folder)), config)
    row = evaluator.evaluate(fixed_forward([*probabilities, 1e-9]))
    nll = [-math.log(p) for p in (0.4, 0.1, 0.2, 0.1, 0.4, 0.1)]
    assert row["validation_tokens"] == 6
    assert row["validation_nll"] == pytest.approx(sum(nll) / 6, rel=1e-6)
    # 1 + 3 + 1 + 2 + 1 bytes, and none for the end of the document.
    assert row["bits_per_byte"] == pytest.approx(sum(nll) / math.log(2) / 8, rel=1e-6)
    assert row["nll_high"] == pytest.approx(-math.log(0.4), rel=1e-6)
    assert row["nll_medium"] == pytest.approx(-math.log(0.2), rel=1e-6)
    assert row["nll_low"] == pytest.approx(-math.log(0.1), rel=1e-6)


def test_weights_of_the_validation_split_do_not_count(write_corpus, tiny):
    rows = []
    for name, weigh in (("ones", np.ones_like), ("sevens", lambda ids: ids * 0.0 + 7.0)):
        folder = write_corpus(name, weigh=weigh)
        evaluator = build_evaluator(open_corpus(str(folder)), replace(tiny, shards=str(folder)))
        rows.append(evaluator.evaluate(fixed_forward([1 / 32] * 32)))
    assert rows[0] == rows[1]
    assert rows[0]["validation_nll"] == pytest.approx(math.log(32), rel=1e-6)


def test_without_a_tokenizer_there_are_no_bytes(corpus, tiny):
    row = build_evaluator(open_corpus(str(corpus)), tiny).evaluate(fixed_forward([1 / 32] * 32))
    assert "bits_per_byte" not in row


def test_a_bucket_without_targets_has_no_loss(write_corpus, tiny):
    folder = write_corpus(train=[[[0] + [1] * 9 + [2]]], validation=[[[1, 1, 1]]])
    evaluator = build_evaluator(open_corpus(str(folder)), replace(tiny, shards=str(folder)))
    row = evaluator.evaluate(fixed_forward([1 / 32] * 32))
    assert row["nll_low"] is None


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
        build_evaluator(corpus, replace(tiny, tokenizer=str(tokenizer)))


def test_a_tokenizer_that_is_not_byte_level_is_refused(tmp_path):
    path = tmp_path / "tokenizer.json"
    Tokenizer(models.WordLevel({"▁word": 0}, unk_token="▁word")).save(str(path))
    with pytest.raises(AssayError, match="not byte-level"):
        count_bytes(path, 1)


def test_a_tokenizer_larger_than_the_vocabulary_is_refused(tokenizer):
    with pytest.raises(AssayError, match="id 6 is outside the shards' 6 types"):
        count_bytes(tokenizer, 6)
