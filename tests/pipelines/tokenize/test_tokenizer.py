"""The run's tokenizer: trained on a sample that order does not change, or taken as it is."""

import json

import pytest
from tokenizers import Tokenizer

from pipelines.tokenize.tokenizer import (
    END_OF_TEXT,
    MIN_VOCAB,
    copy_tokenizer,
    train_tokenizer,
)
from pipelines.tokenize.tokenizer_file import settle
from tests.pipelines.tokenize.corpora import make_job, write_unit
from weighting.errors import AssayError
from weighting.storage.files import sha256
from weighting.vocabulary import CONFIG, read_vocabulary

TEXTS = [f"the cat number {number} sat on mat number {number % 7}" for number in range(60)]


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """A run of two units with a tokenizer."""
    return make_job(tmp_path_factory.mktemp("tokenizer") / "run", [TEXTS[:30], TEXTS[30:]])


@pytest.fixture
def documents(job):
    return sorted((job.run / "documents").iterdir())


def test_it_has_the_size_that_was_asked_for_and_every_byte(job):
    tokenizer = Tokenizer.from_file(str(job.run / "tokenizer.json"))
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


def test_the_end_of_text_is_named_beside_the_tokenizer(job):
    config = json.loads((job.run / CONFIG).read_text())
    assert config["eos_token"] == END_OF_TEXT
    vocabulary = read_vocabulary(job.run / "tokenizer.json")
    assert (vocabulary.vocab_size, vocabulary.eos_id) == (270, 0)


def test_a_named_tokenizer_is_written_in_one_form(job, tmp_path):
    source = job.run / "tokenizer.json"
    packed = tmp_path / "packed.json"
    packed.write_text(json.dumps(json.loads(source.read_text())))
    copy_tokenizer(packed, tmp_path / "tokenizer.json")
    assert sha256(tmp_path / "tokenizer.json") == sha256(source)
    assert settle(source).sha256 == settle(packed).sha256 == sha256(source)
    assert (tmp_path / CONFIG).read_text() == (job.run / CONFIG).read_text()


def test_what_cannot_be_used_leaves_nothing(tmp_path):
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(AssayError, match=r"bad\.json: not a tokenizer\.json"):
        copy_tokenizer(tmp_path / "bad.json", tmp_path / "t.json")
    assert [path.name for path in tmp_path.iterdir()] == ["bad.json"]
