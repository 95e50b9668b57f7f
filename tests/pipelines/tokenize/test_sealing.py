"""Special tokens that no text can spell: their pieces are respelled, nothing else changes."""

import json

import pytest
from tokenizers import Tokenizer

from pipelines.tokenize.sealing import seal
from tests.pipelines.tokenize.families import LETTERS, add, bpe, tokenizer_json

PIECES = [["<unk>", 0.0], ["</s>", 0.0], ["a", -1.0], ["s", -2.0], ["<", -9.0], ["/", -9.0]]
SPECIAL = {"<unk>": 0, "</s>": 1}


def load(fields):
    tokenizer = Tokenizer.from_str(json.dumps(fields))
    tokenizer.encode_special_tokens = True
    return tokenizer


def make(model):
    fields = tokenizer_json(model)
    special = [add(number, token, special=True) for token, number in SPECIAL.items()]
    return fields | {"added_tokens": special}


def of_pieces():
    return make({"type": "Unigram", "unk_id": 0, "vocab": [*PIECES, [">", -9.0]]})


def of_words():
    return make({"type": "WordLevel", "unk_token": "<unk>", "vocab": {**SPECIAL, "a": 2}})


@pytest.mark.parametrize(("fields", "sealed_ids"), [(of_pieces(), [4, 5, 3, 6]), (of_words(), [0])])
def test_a_spelled_special_token_is_text(fields, sealed_ids):
    assert load(fields).encode("</s>").ids == [1]
    assert load(seal(fields)).encode("</s>").ids == sealed_ids


@pytest.mark.parametrize("text", ["a", "aas", "b", "s<a", "a b"])
def test_other_texts_are_as_before(text):
    for fields in (of_pieces(), of_words()):
        assert load(seal(fields)).encode(text).ids == load(fields).encode(text).ids


def test_a_model_of_merges_stays_as_it_is():
    fields = make(bpe(["<unk>", "</s>", *LETTERS], []))
    assert seal(fields) is fields
