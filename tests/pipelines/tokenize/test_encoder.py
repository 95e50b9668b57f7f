"""Encoding: ids and places are the authority's, and text cannot forge special tokens."""

import json
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from pipelines.tokenize.encoder import (
    AUTHORITY,
    FAST,
    Encoded,
    Encoder,
    Source,
    load_encoder,
    load_model_encoder,
)
from pipelines.tokenize.places import find_characters
from pipelines.tokenize.sealing import seal
from pipelines.tokenize.tokenize_unit import append_eos
from pipelines.tokenize.tokenizer import END_OF_TEXT, copy_tokenizer, train_tokenizer
from pipelines.tokenize.tokenizer_file import settle_model
from tests.pipelines.tokenize.families import (
    END,
    LETTERS,
    WORDS,
    add,
    bpe,
    byte_level,
    in_letters,
    split,
    tokenizer_files,
    tokenizer_json,
)
from tests.pipelines.tokenize.families import texts as hard_texts
from weighting.bytelevel import BYTE_OF, to_bytes
from weighting.contracts.documents import DOCUMENTS, write_table
from weighting.errors import AssayError
from weighting.vocabulary import make_vocabulary, read_vocabulary

TEXTS = ["The ice cream melted.", "naïve café - 日本語 🍦", "", "x = {'a': 1}\n\n\tend"]


def write_documents(path, texts):
    rows = [
        {
            "doc_id": f"{i:032x}",
            "source": "s",
            "locator": "l",
            "text": text,
            "metadata": "{}",
            "edits": [],
            "passages": [],
            "contaminated": [],
        }
        for i, text in enumerate(texts)
    ]
    write_table(path, pa.Table.from_pylist(rows, schema=DOCUMENTS), DOCUMENTS)
    return path


@pytest.fixture(scope="module")
def tokenizer_path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    documents = write_documents(folder / "d.parquet", TEXTS * 20)
    train_tokenizer([documents], folder / "tokenizer.json", 320, 10**6)
    return folder / "tokenizer.json"


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(st.text(max_size=40) | st.sampled_from(TEXTS), max_size=8))
def test_ids_equal_the_authoritys_and_decode_to_the_text(tokenizer_path, texts):
    encoder = Encoder(tokenizer_path)
    encoded = encoder.encode(texts)
    slow = Encoder(tokenizer_path, fast=False).encode(texts)
    assert np.array_equal(encoded.ids_N, slow.ids_N)
    assert np.array_equal(encoded.offsets_D1, slow.offsets_D1)
    for text, start, stop in zip(
        texts, encoded.offsets_D1[:-1], encoded.offsets_D1[1:], strict=True
    ):
        ids = encoded.ids_N[start:stop]
        assert b"".join(encoder.vocabulary.tokens[i] for i in ids) == text.encode()
        assert encoder.vocabulary.bytes_V[ids].sum() == len(text.encode())


@pytest.mark.parametrize("fast", [True, False])
def test_a_spelled_out_end_of_text_is_plain_text(tokenizer_path, fast):
    encoder = Encoder(tokenizer_path, fast)
    ids = encoder.encode([f"a{END_OF_TEXT}b"]).ids_N
    assert encoder.vocabulary.eos_id not in ids
    assert b"".join(encoder.vocabulary.tokens[i] for i in ids).decode() == f"a{END_OF_TEXT}b"


def test_the_tokenizer_file_is_what_tokenizers_loads(tokenizer_path):
    tokenizer = Tokenizer.from_file(str(tokenizer_path))
    assert (
        tokenizer.encode("The ice").ids
        == Encoder(tokenizer_path).encode(["The ice"]).ids_N.tolist()
    )
    assert tokenizer.token_to_id(END_OF_TEXT) == Encoder(tokenizer_path).vocabulary.eos_id


def test_a_fast_encoder_that_differs_is_not_used(tokenizer_path, monkeypatch, caplog):
    encoder = Encoder(tokenizer_path)
    right = encoder.encode(TEXTS)
    assert right.used == {FAST}
    monkeypatch.setattr(
        encoder, "_encode_fast", lambda texts: Encoded(np.zeros(1, np.uint32), np.array([0, 1]))
    )
    for _ in range(2):
        again = encoder.encode(TEXTS)
        assert again.used == {AUTHORITY}
        assert np.array_equal(again.ids_N, right.ids_N)
    assert len(caplog.records) == 1
    assert "gives other ids than tokenizers" in caplog.text


def test_an_encoder_is_loaded_once_unless_its_file_changes(tokenizer_path, tmp_path):
    path = tmp_path / "tokenizer.json"
    copy_tokenizer(tokenizer_path, path)
    assert load_encoder(path) is load_encoder(path)
    before = load_encoder(path)
    other = tokenizer_json(bpe(LETTERS, ["th"]), pre_tokenizer=byte_level())
    copy_tokenizer(write(tmp_path / "other.json", other), path, END)
    assert load_encoder(path) is not before


def write(path, fields):
    path.write_text(json.dumps(fields), encoding="utf-8")
    return path


def encode_by_library(fields, texts):
    """The ids and the first characters by `tokenizers`, which matches no special token in text."""
    settled = fields | {"truncation": None, "padding": None, "post_processor": None}
    authority = Tokenizer.from_str(json.dumps(seal(settled)))
    authority.encode_special_tokens = True
    encodings = [authority.encode(text, add_special_tokens=False) for text in texts]
    return [(one.ids, [start for start, _ in one.offsets]) for one in encodings]


def encode(folder, fields, texts):
    """The ids and the first characters by a run's encoder, ends of text left out."""
    path = folder / "tokenizer.json"
    copy_tokenizer(write(folder / "named.json", fields), path, END)
    encoder = Encoder(path)
    ended = append_eos(encoded := encoder.encode(texts), encoder.vocabulary.eos_id)
    ids, offsets = ended.ids_N, ended.offsets_D1
    starts = find_characters(ids, offsets, encoded.places, texts, encoder.vocabulary)
    assert [starts[end - 1] for end in offsets[1:]] == [len(text) for text in texts]
    return [
        (ids[a : b - 1].tolist(), starts[a : b - 1].tolist()) for a, b in pairwise(offsets.tolist())
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(fields=tokenizer_files(), texts=st.lists(hard_texts(), min_size=1, max_size=6))
def test_any_tokenizer_is_refused_or_gives_the_librarys_ids_and_places(tmp_path, fields, texts):
    try:
        found = encode(tmp_path, fields, texts)
    except AssayError:
        event("refused")
        return
    assert found == encode_by_library(fields, texts)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(hard_texts(), min_size=1, max_size=6))
@pytest.mark.parametrize("kind", ["NFC", "NFKC", "NFD", "Lowercase"])
def test_places_of_one_text_do_not_move_those_of_the_next(tmp_path, kind, texts):
    fields = tokenizer_json(
        bpe(LETTERS, [in_letters(" the")]),
        normalizer={"type": kind},
        pre_tokenizer=byte_level(),
        added=[add(0, "[tool]", lstrip=True), add(0, " " * 12, normalized=True)],
    )
    assert encode(tmp_path, fields, texts) == encode_by_library(fields, texts)


def test_added_tokens_that_are_not_special_are_found_in_text(tmp_path):
    blanks = [add(0, " " * size, normalized=True) for size in range(12, 3, -1)]
    fields = tokenizer_json(bpe(LETTERS, []), pre_tokenizer=byte_level(), added=blanks)
    text = "def f():\n" + " " * 8 + "return 1" + " " * 30
    ((ids, starts),) = encode(tmp_path, fields, [text])
    assert [(ids, starts)] == encode_by_library(fields, [text])
    assert len(ids) == len("def f():\n" + "return 1") + 1 + 3


def test_ids_may_lie_above_the_number_of_tokens(tmp_path):
    fields = tokenizer_json(bpe(LETTERS, []), pre_tokenizer=byte_level())
    fields["model"]["vocab"] |= {END: 70_000, "Ġa": 999}
    fields["added_tokens"][0]["id"] = 70_000
    assert encode(tmp_path, fields, ["a b"]) == encode_by_library(fields, ["a b"])
    vocabulary = read_vocabulary(tmp_path / "tokenizer.json")
    assert (vocabulary.vocab_size, vocabulary.eos_id) == (70_001, 70_000)


def test_a_special_token_under_a_normal_form_is_not_forged(tmp_path):
    fields = tokenizer_json(
        bpe(LETTERS, []), normalizer={"type": "NFKC"}, pre_tokenizer=byte_level()
    )
    fields["added_tokens"][0]["normalized"] = True
    text = "a" + "".join(chr(ord(character) + 0xFEE0) for character in END)  # in full width
    ((ids, starts),) = encode(tmp_path, fields, [text])
    assert fields["added_tokens"][0]["id"] not in ids
    assert starts == list(range(len(text)))


def test_characters_that_are_new_go_to_the_authority(tmp_path):
    fields = tokenizer_json(bpe(LETTERS, []), pre_tokenizer=byte_level())
    copy_tokenizer(write(tmp_path / "named.json", fields), tmp_path / "tokenizer.json", END)
    encoder = Encoder(tmp_path / "tokenizer.json")
    assert encoder.encode([]).used == frozenset()
    assert encoder.encode(["plain", "naïve"]).used == {FAST}
    assert encoder.encode(["plain", "\U000323b0"]).used == {FAST, AUTHORITY}


def test_a_tokenizer_that_the_fast_encoder_refuses_is_told_once(tmp_path, caplog):
    parts = [split(WORDS, "Isolated"), byte_level(use_regex=False)]
    before = {"type": "Sequence", "pretokenizers": parts}
    fields = tokenizer_json(bpe(LETTERS, []), pre_tokenizer=before)
    copy_tokenizer(write(tmp_path / "named.json", fields), tmp_path / "tokenizer.json", END)
    encoder = Encoder(tmp_path / "tokenizer.json")
    for _ in range(2):
        assert encoder.encode(["a1"]).used == {AUTHORITY}
    assert [record.message for record in caplog.records] == [
        "gigatoken does not take this tokenizer; tokenizers encodes instead: the same ids, slower"
    ]


def test_a_failure_of_the_library_names_the_document(tokenizer_path, monkeypatch):
    encoder = Encoder(tokenizer_path, fast=False)
    monkeypatch.setattr(encoder, "_authority", None)
    with pytest.raises(AssayError, match="cannot encode document 7 or one of the next"):
        encoder.encode(["a", "b"], ["document 7", "document 8"])


def test_training_does_not_depend_on_the_order_of_files(tmp_path):
    one = write_documents(tmp_path / "1.parquet", TEXTS[:2] * 9)
    two = write_documents(tmp_path / "2.parquet", TEXTS[2:] * 9)
    for name, order in (("a", [one, two]), ("b", [two, one])):
        train_tokenizer(order, tmp_path / name, 300, 10**6)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_sample_is_a_part_chosen_by_id(tmp_path):
    documents = write_documents(tmp_path / "d.parquet", [f"word{i} " * 20 for i in range(300)])
    train_tokenizer([documents], tmp_path / "t", 400, 10**9)
    whole = (tmp_path / "t").read_bytes()
    with pytest.raises(AssayError, match="at least 257"):
        train_tokenizer([documents], tmp_path / "t", 256, 10**9)
    assert (tmp_path / "t").read_bytes() == whole


def test_no_text_is_an_error(tmp_path):
    with pytest.raises(AssayError, match="every document was dropped"):
        train_tokenizer([write_documents(tmp_path / "d", [])], tmp_path / "t", 300, 10**6)


def test_the_byte_alphabet_is_that_of_tokenizers():
    from tokenizers.pre_tokenizers import ByteLevel

    assert set(BYTE_OF) == set(ByteLevel.alphabet())
    assert sorted(BYTE_OF.values()) == list(range(256))
    word = "Ġnaïve"  # how the pre-tokenizer writes " naïve"
    shown = ByteLevel(add_prefix_space=False).pre_tokenize_str(" naïve")[0][0]
    assert to_bytes(shown) == " naïve".encode()
    assert word[0] == shown[0]


@pytest.mark.parametrize("fast", [False, True])
def test_a_models_tokens_may_leave_out_characters(fast):
    letters = [letter for letter in LETTERS if BYTE_OF[letter] not in b"\x04z"]
    fields = tokenizer_json(bpe(letters, []), pre_tokenizer=byte_level())
    settled = settle_model("its name", json.dumps(fields))
    encoder = Encoder(Source("its name", settled, make_vocabulary(settled, 0), whole=False), fast)
    texts = ["az é", "\x04", "z é", "a", ""]
    encoded = encoder.encode(texts)
    assert {number: list(places) for number, places in encoded.places.items()} == {
        0: [0, 2, 3, 3],
        1: [],
        2: [1, 2, 2],
    }
    assert np.diff(encoded.offsets_D1).tolist() == [4, 0, 3, 1, 0]


def test_the_encoder_of_a_model_is_loaded_once():
    text = json.dumps(tokenizer_json(bpe(LETTERS, []), pre_tokenizer=byte_level()))
    encoder = load_model_encoder(text, 1)
    assert encoder is load_model_encoder(text, 1)
    assert encoder.vocabulary.eos_id == 1
