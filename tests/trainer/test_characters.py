"""Shards of a text's characters: they hold the text, and a tokenizer that agrees with them."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from trainer.characters import (
    END_OF_TEXT,
    Summary,
    build_tokenizer,
    rank_codes,
    read_codes,
    write_characters,
)
from trainer.data.corpus import open_corpus
from weighting.contracts.manifest import check_weight_mass
from weighting.contracts.reasons import Reason
from weighting.contracts.shards import open_shard
from weighting.errors import AssayError
from weighting.storage.files import sha256

ODD = "a\n\r\n\r\t  b\x00é\u0301\u2028\ufeff\U0001f600中\x85<|endoftext|\u00a0z"


def write(tmp_path, text, **options):
    path = tmp_path / "text.txt"
    path.write_bytes(text.encode())
    return write_characters(path, tmp_path / "out", **options)


def read_ids(folder, split):
    shard = open_shard(folder / "shards" / f"{split}-000000.arrow")
    return [int(number) for number in shard.segments[0].ids_N]


def test_the_first_part_is_for_training_and_the_rest_for_validation(tmp_path):
    summary = write(tmp_path, "abcabcabcz")
    out = tmp_path / "out"
    assert read_ids(out, "train") == [0, 1, 2] * 3 + [4]
    assert read_ids(out, "validation") == [3, 4]
    assert json.loads((out / "characters.json").read_text()) == asdict(summary)
    assert summary == Summary(
        text="text.txt",
        text_sha256=sha256(tmp_path / "text.txt"),
        types=5,
        train_tokens=10,
        validation_tokens=2,
    )


def test_the_shards_keep_their_contract(tmp_path):
    write(tmp_path, ODD * 3, validation_share=0.5)
    out = tmp_path / "out"
    corpus = open_corpus(str(out / "shards"))
    assert corpus.info.tokenizer_sha256 == sha256(out / "tokenizer.json")
    assert corpus.info.eos_id == corpus.info.vocab_size - 1
    for split in ("train", "validation"):
        shard = open_shard(out / "shards" / f"{split}-000000.arrow")
        check_weight_mass(split, [shard])
        (segment,) = shard.segments
        assert segment.doc_ids.to_pylist() == [split]
        assert segment.sources.to_pylist() == ["text.txt"]
        assert set(segment.reasons_N[:-1]) == {0}
        assert segment.reasons_N[-1] == Reason.SPECIAL
        assert segment.ids_N[-1] == corpus.info.eos_id


def test_the_tokenizer_reads_and_writes_the_text_exactly(tmp_path):
    write(tmp_path, ODD * 3)
    out = tmp_path / "out"
    tokenizer = Tokenizer.from_file(str(out / "tokenizer.json"))
    ids = read_ids(out, "train")[:-1] + read_ids(out, "validation")[:-1]
    assert tokenizer.encode(ODD * 3).ids == ids
    assert tokenizer.decode(ids) == ODD * 3
    end = tokenizer.get_vocab_size() - 1
    assert tokenizer.token_to_id(END_OF_TEXT) == end
    assert tokenizer.decode([*ids, end]) == ODD * 3
    assert tokenizer.encode("ba\n").offsets == [(0, 1), (1, 2), (2, 3)]


@given(st.text(min_size=1).filter(lambda text: END_OF_TEXT not in text))
@settings(max_examples=40)
def test_ids_are_ranks_of_code_points_for_any_text(text):
    codes_N = np.array([ord(character) for character in text], np.uint32)
    types_V, ids_N = rank_codes(codes_N)
    tokenizer = build_tokenizer([chr(code) for code in types_V])
    assert types_V.tolist() == sorted(set(codes_N.tolist()))
    assert tokenizer.encode(text).ids == ids_N.tolist()
    assert tokenizer.decode(ids_N.tolist()) == text


def test_the_same_text_again_gives_the_same_bytes(tmp_path):
    def read_all():
        return {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    write(tmp_path, ODD)
    first = read_all()
    (tmp_path / "out" / "shards" / "train-000000.arrow").unlink()
    (tmp_path / "out" / "characters.json").unlink()  # killed before the end
    write(tmp_path, ODD)
    assert read_all() == first
    assert [path.name for path in first if path.name.startswith(".")] == []


@pytest.mark.parametrize("other", ["abcabcabca", "abd" * 4])
def test_another_text_leaves_what_is_there(tmp_path, other):
    write(tmp_path, "abcabcabcb")
    kept = read_ids(tmp_path / "out", "train")
    with pytest.raises(AssayError, match=r"out: holds something other than this text"):
        write(tmp_path, other)
    assert read_ids(tmp_path / "out", "train") == kept


@pytest.mark.parametrize("name", ["tokenizer.json", "shards/train-000003.arrow"])
def test_a_run_of_the_data_side_is_not_written_into(tmp_path, name):
    path = tmp_path / "out" / name
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    with pytest.raises(AssayError, match="name another folder"):
        write(tmp_path, "abcabcabcb")
    assert [each for each in (tmp_path / "out").rglob("*") if each.is_file()] == [path]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"text\.txt: 0 characters; too few for two splits"),
        (b"a", r"text\.txt: 1 characters; too few for two splits"),
        (b"abc\xff", r"text\.txt: not UTF-8 \(invalid start byte at byte 3\)"),
        (b"abc\xed\xa0\x80", r"text\.txt: not UTF-8"),  # half of a surrogate pair
        (b"one<|endoftext|>two", r"text\.txt: holds <\|endoftext\|>"),
    ],
)
def test_a_text_that_makes_no_splits_is_refused(tmp_path, content, message):
    (tmp_path / "text.txt").write_bytes(content)
    with pytest.raises(AssayError, match=message) as caught:
        write_characters(tmp_path / "text.txt", tmp_path / "out")
    assert caught.value.exit_code == 2
    assert not (tmp_path / "out").exists()


def test_a_text_that_is_not_there_or_too_large_is_refused(tmp_path):
    with pytest.raises(AssayError, match=r"nowhere\.txt: no such file"):
        write_characters(tmp_path / "nowhere.txt", tmp_path / "out")
    with (tmp_path / "large.txt").open("wb") as file:
        file.truncate(2**30 + 1)  # a hole, no bytes on the disk
    with pytest.raises(AssayError, match=r"large\.txt: larger than 1,073,741,824 bytes"):
        write_characters(tmp_path / "large.txt", tmp_path / "out")


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan")])
def test_a_share_that_leaves_no_split_is_refused(tmp_path, share):
    with pytest.raises(AssayError, match="validation share is"):
        write(tmp_path, "abc", validation_share=share)


def test_a_byte_order_mark_is_no_character(tmp_path):
    (tmp_path / "text").write_bytes(b"\xef\xbb\xbfna\xc3\xafve \xef\xbb\xbf text")
    codes = read_codes(tmp_path / "text")
    assert "".join(map(chr, codes)) == "naïve \ufeff text"
