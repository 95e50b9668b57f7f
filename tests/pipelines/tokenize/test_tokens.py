"""The tokens of a unit: written by tokenizing, read back mapped, with the split and the counts."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.settings import ScoreSettings
from pipelines.tokenize.encoder import Encoder
from pipelines.tokenize.tokenize_unit import tokenize_unit
from pipelines.tokenize.tokens import Documents, load_tokens, load_types
from pipelines.work.summaries import TokenizeSummary
from tests.pipelines.tokenize.corpora import make_job, write_unit

UNITS = [["The ice cream.", "", "naïve café 🍦", "x = 1"], ["The ice.", "日本語"]]
DROPPED = ["dropped text", ""]
SETTINGS = ScoreSettings(validation_share=0.5, order=2)


@pytest.fixture(scope="module")
def tokenized(tmp_path_factory):
    """A job whose units are tokenized, its encoder, and the counts of the units."""
    job = make_job(tmp_path_factory.mktemp("tokens") / "run", UNITS)
    write_unit(job, 1, UNITS[1], DROPPED)
    encoder = Encoder(job.run / "tokenizer.json")
    counts = [tokenize_unit(uid, encoder, SETTINGS, job) for uid in range(len(UNITS))]
    job.work.type_counts.save(np.sum(counts, axis=0))
    return job, encoder, counts


def test_spread_gives_every_token_what_its_document_has():
    names = pa.nulls(3, pa.string())
    offsets = np.array([0, 2, 3, 6])
    documents = Documents(
        names, names, np.array([True, False, True]), np.zeros(6, np.uint32), offsets
    )
    assert documents.spread(documents.train_D).tolist() == [True, True, False, True, True, True]


def test_tokens_are_those_of_the_documents_with_an_end_after_each(tokenized):
    job, encoder, _ = tokenized
    for uid, texts in enumerate(UNITS):
        documents = load_tokens(job, uid)
        parts = np.split(documents.ids_N, documents.offsets_D1[1:-1])
        assert len(parts) == len(texts)
        for ids, text in zip(parts, texts, strict=True):
            assert ids[-1] == encoder.vocabulary.eos_id
            assert b"".join(encoder.vocabulary.tokens[i] for i in ids[:-1]) == text.encode()
        assert documents.offsets_D1.dtype == np.int64


def test_the_split_is_in_the_tokens_and_in_the_ledger(tokenized):
    job, _, _ = tokenized
    splits = []
    for uid in range(len(UNITS)):
        documents = load_tokens(job, uid)
        ledger = pq.read_table(job.output("ledger", uid, ".parquet")).to_pylist()
        rows = {row["doc_id"]: row["split"] for row in ledger}
        expected = ["train" if train else "validation" for train in documents.train_D]
        assert [rows[doc_id] for doc_id in documents.doc_ids.to_pylist()] == expected
        splits += expected
    assert set(splits) == {"train", "validation"}


def test_the_ledger_has_the_tokens_of_dropped_documents_as_well(tokenized):
    job, encoder, _ = tokenized
    ledger = pq.read_table(job.output("ledger", 1, ".parquet")).to_pylist()
    texts = [*UNITS[1], *DROPPED]
    assert [row["tokens"] for row in ledger] == [len(encoder.encode([t]).ids_N) for t in texts]
    assert [row["split"] for row in ledger[len(UNITS[1]) :]] == [None] * len(DROPPED)


def test_types_are_those_of_all_units_train_split(tokenized):
    job, encoder, counts = tokenized
    types = load_types(job, encoder.vocabulary.eos_id)
    whole = [load_tokens(job, uid) for uid in range(len(UNITS))]
    train = np.concatenate([some.ids_N[some.spread(some.train_D)] for some in whole])
    expected = np.bincount(train, minlength=encoder.vocabulary.vocab_size)
    assert np.array_equal(types.counts_V, expected)
    assert np.array_equal(types.counts_V, sum(counts)[0])
    assert types.documents == sum(some.train_D.sum() for some in whole)
    assert types.holders_V.max() <= types.documents


def test_a_unit_that_is_done_gives_its_counts_from_disk(tokenized):
    job, encoder, counts = tokenized
    summary = job.work.tokenize.read(1)
    assert summary == TokenizeSummary(len(load_tokens(job, 1).ids_N), ["gigatoken"])
    path = job.output("documents", 1, ".parquet")
    moved = path.rename(path.with_suffix(".away"))
    assert np.array_equal(tokenize_unit(1, encoder, SETTINGS, job), counts[1])
    moved.rename(path)
