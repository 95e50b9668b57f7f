"""Plain texts: no added token in them, normal as they stand, and no character that is new."""

import json

import pytest
from tokenizers import Tokenizer

from pipelines.tokenize.plain_texts import PlainTexts
from tests.pipelines.tokenize.families import (
    LETTERS,
    WORDS,
    add,
    bpe,
    byte_level,
    sequence,
    split,
    tokenizer_json,
)


def make(**settings):
    fields = tokenizer_json(bpe(LETTERS, []), **{"pre_tokenizer": byte_level(), **settings})
    return PlainTexts(fields, Tokenizer.from_str(json.dumps(fields)))


def cut(pattern, behavior, invert=False, use_regex=False):
    parts = [split(pattern, behavior, invert), byte_level(use_regex=use_regex)]
    return sequence("pretokenizers", parts)


def test_patterns_before_the_letters_are_known():
    assert make(pre_tokenizer=cut(WORDS, "Isolated")).any
    assert make(pre_tokenizer=cut(WORDS, "Removed", invert=True)).any


def test_without_a_normalizer_all_texts_of_known_characters_are_plain():
    texts = ["", "plain\x00", "e\u0301", "日本語 🍦", "\ufb01", "<|end|>"]
    assert make().find(texts).all()
    assert make().find([]).tolist() == []


@pytest.mark.parametrize("new", ["\U000323b0", "\U0001c4af", "\u1acf", "\U00016d68"])
def test_texts_with_new_characters_are_not(new):
    assert make().find(["a", f"a{new}b"]).tolist() == [True, False]


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        ("NFC", ["e\u0301", "\u0344"]),
        ("NFKC", ["\ufb01", "e\u0301", "①"]),
        ("NFD", ["\u00e9", "각"]),
        ("Lowercase", ["A", "É", "ascii Too"]),
    ],
)
def test_texts_that_a_normalizer_changes_are_not(kind, changed):
    plain = make(normalizer={"type": kind})
    assert plain.find(["ascii too", "日本"]).all()
    assert not plain.find(changed).any()


def test_texts_that_hold_an_added_token_are_not():
    added = [add(0, "<|a.b|>"), add(0, "\u00e9", normalized=True), add(0, "<s>", special=True)]
    plain = make(normalizer={"type": "NFD"}, added=added)
    assert plain.find(["<|axb|>", "<s>"]).all()
    assert not plain.find(["x<|a.b|>", "e\u0301"]).any()


def test_added_tokens_may_be_many_and_of_any_characters():
    odd = ["\n\n", "\x00", "  ", "(?:", "\\", "[", "é|è", "\u2028"]
    many = [f"<unused{number}>" for number in range(3000)]
    plain = make(added=[add(0, token) for token in (*odd, *many)])
    assert plain.find(["a b", "\n", "è", "<unused3000>"]).all()
    assert not plain.find([*odd, "a<unused2999>b"]).any()


@pytest.mark.parametrize(
    "settings",
    [
        {"pre_tokenizer": byte_level(add_prefix_space=True)},
        {"pre_tokenizer": None, "normalizer": {"type": "ByteLevel"}},
        {"normalizer": {"type": "Prepend", "prepend": "▁"}},
        {"pre_tokenizer": None},
        {"pre_tokenizer": byte_level(use_regex=False)},
        {"pre_tokenizer": cut(WORDS, "MergedWithNext")},
        {"pre_tokenizer": cut(WORDS, "Isolated", invert=True)},
        {"pre_tokenizer": cut(WORDS, "Isolated", use_regex=True)},
    ],
)
def test_no_text_is_plain_where_every_text_is_changed_or_the_model_sees_no_bytes(settings):
    assert not make(**settings).any
    assert not make(**settings).find(["a"]).any()
