"""What the parts of a tokenizer do to a text, told by structure."""

import pytest

from pipelines.tokenize.structure import composes, find_changes, find_faults
from tests.pipelines.tokenize.families import (
    LETTERS,
    bpe,
    byte_level,
    metaspace,
    punctuation,
    sequence,
    split,
    tokenizer_json,
)
from weighting.bytelevel import BYTE_OF

BLANK = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}


def make(model=None, **parts):
    return tokenizer_json(model or bpe(LETTERS, []), **{"pre_tokenizer": byte_level(), **parts})


def of_characters(**settings):
    return bpe(["a", "b", "<unk>"], [], **settings)


def of_words(unknown):
    return {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": unknown}


def of_pieces(unknown):
    return {"type": "Unigram", "vocab": [["a", 0.0]], "unk_id": unknown}


def before_letters(part):
    return sequence("pretokenizers", [part, byte_level()])


@pytest.mark.parametrize(
    "fields",
    [
        make(),
        *(make(normalizer={"type": kind}) for kind in ("NFC", "NFKC", "NFD", "Lowercase")),
        make(normalizer={"type": "Sequence", "normalizers": []}),
        make(normalizer=BLANK),
        make(pre_tokenizer=None, normalizer={"type": "ByteLevel"}),
        make(pre_tokenizer=before_letters(punctuation("Isolated"))),
        make(pre_tokenizer=before_letters(split({"Regex": "."}, "Removed", invert=True))),
        make(of_characters(unk_token="<unk>"), pre_tokenizer=metaspace("first", split=True)),
        make(of_characters(unk_token="<unk>"), pre_tokenizer=None, normalizer=BLANK),
        make(of_words("a"), pre_tokenizer=None),
        make(of_pieces(0), pre_tokenizer=None),
    ],
)
def test_parts_that_keep_every_character_are_taken(fields):
    assert list(find_faults(fields)) == []


METASPACE = metaspace("always", split=True)
DELETING = ("Strip", "StripAccents", "Nmt", "BertNormalizer", "Precompiled")
DROPPING = ("Whitespace", "WhitespaceSplit", "BertPreTokenizer", "CharDelimiterSplit")
OUTSIDE = "characters outside its vocabulary would vanish"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        *((make(normalizer={"type": kind}), f"normalizer {kind} may delete") for kind in DELETING),
        (make(normalizer=BLANK | {"content": ""}), "Replace loses ' '"),
        (make(normalizer=BLANK | {"pattern": {"String": "ab"}}), "Replace loses 'ab'"),
        (make(normalizer=BLANK | {"pattern": {"Regex": " +"}}), "Replace loses ' +'"),
        *((make(pre_tokenizer={"type": kind}), f"{kind} drops") for kind in DROPPING),
        (make(pre_tokenizer=punctuation("Removed")), "Punctuation drops"),
        (make(pre_tokenizer=split({"String": " "}, "Removed")), "Split drops"),
        (make(normalizer={"type": "ByteLevel"}, pre_tokenizer=METASPACE), "Metaspace writes"),
        (make({**of_words("a"), "type": "WordPiece"}), "its model is WordPiece"),
        (make(bpe(LETTERS, [], end_of_word_suffix="</w>")), "a prefix or suffix"),
        (make(of_characters(), pre_tokenizer=METASPACE), OUTSIDE),
        (make(of_words("b"), pre_tokenizer=None), OUTSIDE),
        (make(of_pieces(None), pre_tokenizer=None), OUTSIDE),
    ],
)
def test_parts_that_lose_characters_are_named(fields, reason):
    assert [fault for fault in find_faults(fields) if reason in fault]


def test_missing_bytes_are_named_as_far_as_texts_have_them():
    of_byte = {byte: letter for letter, byte in BYTE_OF.items()}
    without = [letter for letter in LETTERS if BYTE_OF[letter] not in (0x41, 0x42, 0x44, 0xFF)]
    (fault,) = find_faults(make(bpe(without, [])))
    assert "lacks 3 of the bytes of UTF-8 (41 to 42, 44)" in fault
    assert not list(find_faults(make(bpe([*without, *map(of_byte.get, (0x41, 0x42, 0x44))], []))))


def test_bytes_in_a_vocabulary_stand_for_the_unknown():
    every = [f"<0x{byte:02X}>" for byte in range(256)]
    model = bpe(["a", *every], [], byte_fallback=True)
    assert not list(find_faults(make(model, pre_tokenizer=None)))
    less = bpe(["a", *every[:-20]], [], byte_fallback=True)
    assert list(find_faults(make(less, pre_tokenizer=None)))


@pytest.mark.parametrize(("kind", "found"), [("NFC", True), ("NFKC", True), ("NFD", False)])
def test_normal_forms_may_compose(kind, found):
    assert composes(make(normalizer=sequence("normalizers", [{"type": kind}, BLANK]))) == found


@pytest.mark.parametrize("kind", [None, "NFC", "NFD"])
def test_the_same_characters_in_another_form_are_no_other_text(kind):
    assert list(find_changes(make(normalizer=kind and {"type": kind}))) == []
    assert list(find_changes(make(normalizer=BLANK))) == []


@pytest.mark.parametrize(
    "normalizer",
    [
        *({"type": kind} for kind in ("Lowercase", "NFKC", "NFKD")),
        {"type": "Replace", "pattern": {"String": "’"}, "content": "'"},
    ],
)
def test_a_normalizer_that_writes_other_characters_is_named(normalizer):
    (found,) = find_changes(make(normalizer=normalizer))
    assert normalizer["type"] in found
