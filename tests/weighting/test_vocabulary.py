"""What a tokenizer.json says of its types, against what the library says."""

import json
import re

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

from weighting.bytelevel import BYTE_OF
from weighting.errors import AssayError
from weighting.vocabulary import (
    CONFIG,
    find_unknown,
    has_bytes,
    is_byte_level,
    list_parts,
    read_tokenizer_json,
    read_vocabulary,
    spell_types,
)

LETTERS = {letter: number for number, letter in enumerate(sorted(BYTE_OF))}


def save(tokenizer, folder):
    tokenizer.add_special_tokens(["<|endoftext|>"])
    path = folder / "tokenizer.json"
    tokenizer.save(str(path))
    return path


def build_byte_level():
    tokenizer = Tokenizer(models.BPE(LETTERS, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def test_letters_are_bytes_and_added_tokens_are_as_written(tmp_path):
    tokenizer = build_byte_level()
    tokenizer.add_tokens([AddedToken("Ġé")])  # letters of the alphabet, but found in text as it is
    vocabulary = read_vocabulary(save(tokenizer, tmp_path))
    for letter, number in LETTERS.items():
        assert vocabulary.tokens[number] == bytes([BYTE_OF[letter]])
    assert vocabulary.tokens[256:] == ["Ġé".encode(), b"<|endoftext|>"]
    assert vocabulary.bytes_V.tolist() == [1] * 256 + [4, 13]
    assert (vocabulary.vocab_size, vocabulary.eos_id) == (258, 257)
    assert vocabulary.unspelled == {257}


def test_ids_may_have_gaps(tmp_path):
    tokenizer = Tokenizer(models.BPE({"a": 0, "b": 7, "<|endoftext|>": 5}, []))
    vocabulary = read_vocabulary(save(tokenizer, tmp_path))
    assert vocabulary.tokens == [b"a", b"", b"", b"", b"", b"<|endoftext|>", b"", b"b"]
    assert vocabulary.eos_id == 5


def test_pieces_of_sentencepiece_are_their_text(tmp_path):
    vocab = {"<unk>": 0, "<0x0A>": 1, "▁the": 2, "é": 3}
    tokenizer = Tokenizer(models.BPE(vocab, [], unk_token="<unk>", byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    vocabulary = read_vocabulary(save(tokenizer, tmp_path))
    assert vocabulary.tokens[:4] == [b"<unk>", b"\n", b" the", "é".encode()]
    assert vocabulary.unspelled == {0, 4}
    assert vocabulary.unknown_id == 0
    fields = read_tokenizer_json(tmp_path / "tokenizer.json")
    assert not has_bytes(fields)
    assert not is_byte_level(fields)
    assert [part["type"] for part in list_parts(fields["normalizer"])] == ["Prepend", "Replace"]


def test_a_unigram_lists_its_pieces_in_order(tmp_path):
    tokenizer = Tokenizer(models.Unigram([("<unk>", 0.0), ("▁a", -1.0)], unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    path = save(tokenizer, tmp_path)
    fields = read_tokenizer_json(path)
    assert spell_types(fields) == {0: b"<unk>", 1: b" a", 2: b"<|endoftext|>"}
    assert find_unknown(fields) == 0


def test_the_configuration_beside_it_names_the_end_of_text(tmp_path):
    tokenizer = build_byte_level()
    tokenizer.add_special_tokens(["</s>"])
    path = save(tokenizer, tmp_path)
    assert read_vocabulary(path).eos_id == 257
    (tmp_path / CONFIG).write_text(json.dumps({"eos_token": "</s>"}))
    assert read_vocabulary(path).eos_id == 256
    (tmp_path / CONFIG).write_text(json.dumps({"eos_token": "<gone>"}))
    with pytest.raises(AssayError, match="does not say which token ends a text"):
        read_vocabulary(path)


def test_it_is_read_once_unless_it_changes(tmp_path):
    path = save(build_byte_level(), tmp_path)
    assert read_vocabulary(path) is read_vocabulary(path)
    before = read_vocabulary(path)
    tokenizer = build_byte_level()
    tokenizer.add_tokens(["new"])
    save(tokenizer, tmp_path)
    assert read_vocabulary(path).vocab_size == before.vocab_size + 1


@pytest.mark.parametrize("content", ["", "7", "{}", '{"model": {}}', "[" * 100_000])
def test_what_is_no_tokenizer_is_refused(tmp_path, content):
    (tmp_path / "t.json").write_text(content)
    with pytest.raises(AssayError, match=r"t\.json: not a tokenizer\.json"):
        read_tokenizer_json(tmp_path / "t.json")
    with pytest.raises(AssayError, match="no such tokenizer file"):
        read_vocabulary(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<!DOCTYPE html><title>404", "begins with '<!DOCTYPE html><'"),
        (b"\x1f\x8b\x08\x00", r"begins with '\x1f\x8b\x08\x00'"),
        (b"#version: 0.2\n", r"begins with '#version: 0.2\n'"),
        (b"version https://git-lfs.github.com/spec/v1\n", "pointer of Git LFS"),
    ],
)
def test_another_file_is_told_by_its_beginning(tmp_path, content, said):
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content)
    with pytest.raises(AssayError, match=re.escape(said)):
        read_vocabulary(path)
