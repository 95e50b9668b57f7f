"""What a shard says of itself, what its folder says for it, and that they agree."""

import json

import pytest
from tokenizers import Tokenizer, models

from weighting.contracts.shard_info import METADATA_KEY, find_tokenizer, read_fields
from weighting.errors import BrokenContract
from weighting.storage.files import sha256

OF_TOKENIZER = {"tokenizer_sha256": "mine", "vocab_size": 9, "eos_id": 3}


def read(folder, name="train-0.parquet", **said):
    metadata = {METADATA_KEY: json.dumps(said).encode()} if said else {}
    return read_fields(folder / name, metadata)


def write_tokenizer(folder, types=4):
    path = folder / "tokenizer.json"
    vocabulary = {f"w{number}": number for number in range(types - 1)} | {"</s>": types - 1}
    Tokenizer(models.WordLevel(vocabulary, unk_token="w0")).save(str(path))
    fields = json.loads(path.read_text())
    token = {"id": types - 1, "content": "</s>", "special": True, "normalized": False}
    fields["added_tokens"] = [{**token, "single_word": False, "lstrip": False, "rstrip": False}]
    path.write_text(json.dumps(fields))
    return path


def test_a_file_may_say_it_all(tmp_path):
    fields = read(tmp_path, "part.arrow", **OF_TOKENIZER, split="validation", policy="p")
    assert fields == {**OF_TOKENIZER, "split": "validation", "policy": "p", "schema_version": 1}


def test_a_json_file_beside_speaks_for_all(tmp_path):
    (tmp_path / "assay.json").write_text(json.dumps(OF_TOKENIZER))
    expected = {**OF_TOKENIZER, "policy": "own", "schema_version": 1}
    assert read(tmp_path) == {**expected, "split": "train"}
    assert read(tmp_path, "validation/0.parquet") == {**expected, "split": "validation"}


@pytest.mark.parametrize("place", ["shards", "."])
def test_the_tokenizer_itself_says_it(tmp_path, place):
    folder = tmp_path / "shards"
    folder.mkdir()
    path = write_tokenizer(tmp_path / place)
    assert find_tokenizer(folder) == path.resolve()
    fields = read(folder)
    assert (fields["vocab_size"], fields["eos_id"]) == (4, 3)
    assert fields["tokenizer_sha256"] == sha256(path)


def test_a_vocabulary_may_be_larger_than_the_tokenizer_is(tmp_path):
    path = write_tokenizer(tmp_path)
    (tmp_path / "assay.json").write_text('{"vocab_size": 64}')
    fields = read(tmp_path)
    assert (fields["vocab_size"], fields["tokenizer_sha256"]) == (64, sha256(path))


def test_what_is_missing_is_named_with_where_it_may_stand(tmp_path):
    with pytest.raises(BrokenContract) as caught:
        read(tmp_path, vocab_size=9)
    for word in ("train-0.parquet", "tokenizer.json", "assay.json with tokenizer_sha256, eos_id"):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"split": "validation"}, "by its metadata, has split validation, its name train"),
        ({"schema_version": 2}, "schema version 2, this code reads 1"),
        ({"vocab_size": "9"}, "vocab_size is '9', must be a whole number"),
        ({"eos_id": True}, "eos_id is True, must be a whole number"),
        ({"policy": 3}, "policy is 3, must be a text"),
        ({"vocab": 9}, "unknown key 'vocab' in its assay metadata; valid: tokenizer_sha256"),
        ({"vocab_size": 8}, r"has vocab_size 8, .*assay\.json 9"),
    ],
)
def test_what_cannot_be_is_told(tmp_path, said, message):
    (tmp_path / "assay.json").write_text(json.dumps(OF_TOKENIZER))
    with pytest.raises(BrokenContract, match=message):
        read(tmp_path, **said)


def test_another_tokenizer_than_is_named_is_refused(tmp_path):
    write_tokenizer(tmp_path)
    with pytest.raises(BrokenContract, match=r"has tokenizer_sha256 other, .*tokenizer\.json "):
        read(tmp_path, tokenizer_sha256="other")


def test_a_file_of_no_split_is_refused(tmp_path):
    with pytest.raises(BrokenContract, match="which split it is of; name it train-"):
        read(tmp_path, "part-0.parquet", **OF_TOKENIZER)


@pytest.mark.parametrize("content", ["{", "[]"])
def test_metadata_that_are_no_object_are_refused(tmp_path, content):
    with pytest.raises(BrokenContract, match="its assay metadata is not"):
        read_fields(tmp_path / "train.arrow", {METADATA_KEY: content.encode()})
