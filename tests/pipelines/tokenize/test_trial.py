"""Trying a tokenizer out: characters without a place, and spellings that forge special tokens."""

import json
import unicodedata

import pytest
from tokenizers import Tokenizer

from pipelines.tokenize.trial import list_kinds, try_out
from tests.pipelines.tokenize.families import (
    END,
    LETTERS,
    WORDS,
    bpe,
    byte_level,
    sequence,
    split,
    tokenizer_json,
)
from weighting.errors import AssayError


def try_fields(path, fields):
    tokenizer = Tokenizer.from_str(json.dumps(fields))
    try_out(tokenizer, fields, fields, str(path))


def cut_words(pattern, **settings):
    parts = [split(pattern, "Removed", invert=True), byte_level(use_regex=False)]
    return tokenizer_json(
        bpe(LETTERS, []), pre_tokenizer=sequence("pretokenizers", parts), **settings
    )


def test_there_are_characters_of_every_kind():
    kinds = {unicodedata.category(character) for character in list_kinds()}
    assert len(kinds) >= 29
    assert {*map(chr, range(128))} < {*list_kinds()}


def test_a_pattern_that_matches_every_character_is_taken(tmp_path):
    try_fields(tmp_path, cut_words(WORDS))
    try_fields(tmp_path, cut_words(WORDS, normalizer={"type": "NFC"}))


@pytest.mark.parametrize("kind", [None, "NFC"])
def test_a_pattern_that_leaves_characters_out_is_refused(tmp_path, kind):
    normalizer = kind and {"type": kind}
    fields = cut_words({"Regex": r"\p{L}+|\p{N}+|\p{P}+|\p{S}+"}, normalizer=normalizer)
    with pytest.raises(AssayError, match=r"cannot be placed in a text: of the text .* in no token"):
        try_fields(tmp_path, fields)


@pytest.mark.parametrize(
    "fields",
    [
        tokenizer_json({"type": "WordLevel", "vocab": {"<s>": 0, "a": 1}, "unk_token": "a"}),
        tokenizer_json({"type": "Unigram", "vocab": [["a", -9.0], ["<s>", 0.0]], "unk_id": 0}),
        tokenizer_json(
            bpe([*LETTERS, "<s>"], [], ignore_merges=True),
            pre_tokenizer=byte_level(use_regex=False),
        ),
        tokenizer_json(bpe(LETTERS, ["<s>"]), pre_tokenizer=byte_level(use_regex=False)),
    ],
)
def test_a_spelling_that_gives_the_special_token_is_refused(tmp_path, fields):
    vocab = fields["model"]["vocab"]
    number = vocab["<s>"] if isinstance(vocab, dict) else 1
    special = fields["added_tokens"][0] | {"id": number, "content": "<s>"}
    with pytest.raises(AssayError, match="would hold the special token '<s>' itself"):
        try_fields(tmp_path, fields | {"added_tokens": [special]})


def test_the_token_of_the_unknown_is_no_forgery(tmp_path):
    fields = tokenizer_json({"type": "WordLevel", "vocab": {"<unk>": 0}, "unk_token": "<unk>"})
    special = fields["added_tokens"][0] | {"id": 0, "content": "<unk>"}
    try_fields(tmp_path, fields | {"added_tokens": [special, *fields["added_tokens"]]})
    assert fields["added_tokens"][0]["content"] == END
