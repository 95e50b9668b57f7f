"""Encoding: the fast encoder gives the authority's ids, and text cannot forge special tokens."""

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from pipelines.tokenize.encoder import AUTHORITY, FAST, Encoded, Encoder
from pipelines.tokenize.tokenizer import END_OF_TEXT, copy_tokenizer, train_tokenizer
from weighting.bytelevel import BYTE_OF, to_bytes
from weighting.contracts.documents import DOCUMENTS, write_table
from weighting.errors import AssayError

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
        assert b"".join(encoder.tokens[i] for i in ids) == text.encode()
        assert encoder.bytes_V[ids].sum() == len(text.encode())


@pytest.mark.parametrize("fast", [True, False])
def test_a_spelled_out_end_of_text_is_plain_text(tokenizer_path, fast):
    encoder = Encoder(tokenizer_path, fast)
    ids = encoder.encode([f"a{END_OF_TEXT}b"]).ids_N
    assert encoder.eos_id not in ids
    assert b"".join(encoder.tokens[i] for i in ids).decode() == f"a{END_OF_TEXT}b"


def test_the_tokenizer_file_is_what_tokenizers_loads(tokenizer_path):
    tokenizer = Tokenizer.from_file(str(tokenizer_path))
    assert (
        tokenizer.encode("The ice").ids
        == Encoder(tokenizer_path).encode(["The ice"]).ids_N.tolist()
    )
    assert tokenizer.token_to_id(END_OF_TEXT) == Encoder(tokenizer_path).eos_id


def test_a_fast_encoder_that_differs_is_not_used(tokenizer_path, monkeypatch, caplog):
    encoder = Encoder(tokenizer_path)
    right = encoder.encode(TEXTS)
    assert encoder.used == {FAST}
    monkeypatch.setattr(
        encoder, "_encode_fast", lambda texts: Encoded(np.zeros(1, np.uint32), np.array([0, 1]))
    )
    again = encoder.encode(TEXTS)
    assert encoder.used == {FAST, AUTHORITY}
    assert "differs" in caplog.text
    assert np.array_equal(again.ids_N, right.ids_N)


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


def test_a_tokenizer_of_the_user_is_checked(tmp_path, tokenizer_path):
    copy_tokenizer(tokenizer_path, tmp_path / "copy.json")
    assert Encoder(tmp_path / "copy.json").encode(["ice"]).ids_N.size
    with pytest.raises(AssayError, match="no such tokenizer"):
        copy_tokenizer(tmp_path / "none.json", tmp_path / "t")
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(AssayError, match=r"not a tokenizer\.json"):
        copy_tokenizer(tmp_path / "bad.json", tmp_path / "t")
    fields = json.loads(tokenizer_path.read_text())
    fields["added_tokens"] = []
    fields["model"]["vocab"].pop(END_OF_TEXT)
    (tmp_path / "no_eos.json").write_text(json.dumps(fields))
    with pytest.raises(AssayError, match="no end-of-text token"):
        copy_tokenizer(tmp_path / "no_eos.json", tmp_path / "t")


def test_the_byte_alphabet_is_that_of_tokenizers():
    from tokenizers.pre_tokenizers import ByteLevel

    assert set(BYTE_OF) == set(ByteLevel.alphabet())
    assert sorted(BYTE_OF.values()) == list(range(256))
    word = "Ġnaïve"  # how the pre-tokenizer writes " naïve"
    shown = ByteLevel(add_prefix_space=False).pre_tokenize_str(" naïve")[0][0]
    assert to_bytes(shown) == " naïve".encode()
    assert word[0] == shown[0]
