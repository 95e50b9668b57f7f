"""The run's tokenizer: trained on a sample that order does not change, or taken as it is."""

import json

import pytest
from tokenizers import Tokenizer, models

from pipelines.tokenize.tokenizer import (
    END_OF_TEXT,
    MIN_VOCAB,
    copy_tokenizer,
    find_end_of_text,
    hash_tokenizer,
    load_tokenizer,
    train_tokenizer,
)
from tests.pipelines.tokenize.corpora import make_job, write_unit
from weighting.errors import AssayError
from weighting.storage.files import sha256

TEXTS = [f"the cat number {number} sat on mat number {number % 7}" for number in range(60)]


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """A run of two units with a tokenizer."""
    return make_job(tmp_path_factory.mktemp("tokenizer") / "run", [TEXTS[:30], TEXTS[30:]])


@pytest.fixture
def documents(job):
    return sorted((job.run / "documents").iterdir())


def test_it_has_the_size_that_was_asked_for_and_every_byte(job):
    tokenizer = load_tokenizer(job.run / "tokenizer.json")
    assert tokenizer.get_vocab_size() == 270
    assert tokenizer.token_to_id(END_OF_TEXT) == 0
    text = "\x00\x7fü日🍦"
    assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_the_order_of_files_does_not_matter(job, documents, tmp_path):
    train_tokenizer(documents[::-1], tmp_path / "t.json", 270, 10**6)
    assert sha256(tmp_path / "t.json") == sha256(job.run / "tokenizer.json")


def test_a_sample_is_of_whole_documents_and_smaller(documents, tmp_path):
    size = sum(map(len, TEXTS))
    hashes = set()
    for share in (0.3, 0.6, 1.0):
        train_tokenizer(documents, tmp_path / "t.json", 400, int(share * size))
        hashes.add(sha256(tmp_path / "t.json"))
    assert len(hashes) == 3


def test_what_cannot_be_trained_says_why(job, documents, tmp_path):
    with pytest.raises(AssayError, match=f"vocab_size is 256, must be at least {MIN_VOCAB}"):
        train_tokenizer(documents, tmp_path / "t.json", 256, 10**6)
    write_unit(job, 9, ["", ""])
    empty = job.output("documents", 9, ".parquet")
    with pytest.raises(AssayError, match="every document was dropped"):
        train_tokenizer([empty], tmp_path / "t.json", 300, 10**6)
    empty.unlink()


def test_a_named_tokenizer_is_written_in_one_form(job, tmp_path):
    source = job.run / "tokenizer.json"
    packed = tmp_path / "packed.json"
    packed.write_text(json.dumps(json.loads(source.read_text())))
    copy_tokenizer(packed, tmp_path / "copy.json")
    assert sha256(tmp_path / "copy.json") == hash_tokenizer(source) == hash_tokenizer(packed)


def test_what_is_no_byte_level_bpe_is_refused(job, tmp_path):
    with pytest.raises(AssayError, match="no such tokenizer file"):
        copy_tokenizer(tmp_path / "none.json", tmp_path / "t.json")
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(AssayError, match=r"bad\.json: not a tokenizer\.json"):
        copy_tokenizer(tmp_path / "bad.json", tmp_path / "t.json")
    words = Tokenizer(models.WordLevel({END_OF_TEXT: 0, "a": 1}, unk_token="a"))
    words.save(str(tmp_path / "words.json"))
    with pytest.raises(AssayError, match="not a byte-level BPE tokenizer"):
        copy_tokenizer(tmp_path / "words.json", tmp_path / "t.json")
    assert not (tmp_path / "t.json").exists()


@pytest.mark.parametrize("token", [END_OF_TEXT, "<|end_of_text|>", "</s>", "<eos>", "[SEP]"])
def test_the_end_of_text_has_one_of_a_few_names(token):
    tokenizer = Tokenizer(models.WordLevel({"a": 0, token: 1}, unk_token="a"))
    assert find_end_of_text(tokenizer, "t") == 1


def test_without_an_end_of_text_there_is_no_telling_documents_apart():
    tokenizer = Tokenizer(models.WordLevel({"a": 0}, unk_token="a"))
    with pytest.raises(AssayError, match=r"t: has no end-of-text token such as <\|endoftext\|>"):
        find_end_of_text(tokenizer, "t")
