"""The cleanest documents: in order of failed rules, up to a share of the tokens; as shards."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.score.reference_documents import (
    DOCUMENTS,
    choose_cleanest,
    count_halves,
    locate_shards,
    write_cleanest,
)
from pipelines.settings import ScoreSettings
from pipelines.tokenize.encoder import Encoder
from pipelines.tokenize.tokenize_unit import tokenize_unit
from pipelines.tokenize.tokens import load_tokens
from tests.pipelines.tokenize.corpora import make_job, write_unit
from weighting.contracts.halves import is_of_half
from weighting.contracts.shards import open_shard
from weighting.vocabulary import read_vocabulary

UNITS = [[f"document {number} of the first unit" for number in range(14)], ["the second", "unit"]]


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """A run whose units are tokenized; two train documents hold evaluation items."""
    job = make_job(tmp_path_factory.mktemp("reference") / "run", UNITS)
    span = [{"start": 0, "end": 3, "item": "riddles"}]
    write_unit(job, 1, UNITS[1], contaminated=[span, span])
    encoder = Encoder(job.run / "tokenizer.json")
    for uid in range(len(UNITS)):
        tokenize_unit(uid, encoder, ScoreSettings(validation_share=0.4, order=2), job)
    return job


@pytest.fixture(scope="module")
def chosen(job):
    """What was chosen of half of the tokens, as told."""
    vocabulary = read_vocabulary(job.run / "tokenizer.json")
    return write_cleanest(range(len(UNITS)), 0.5, vocabulary, "ab", job)


def make_candidates(rows):
    columns = zip(*rows, strict=True)
    arrays = [pa.array(c, f.type) for c, f in zip(columns, DOCUMENTS, strict=True)]
    return pa.table(arrays, schema=DOCUMENTS)


def test_fewer_failed_rules_come_first_and_ties_go_by_id():
    rows = [
        ("0" * 31 + digit, failed, 10) for digit, failed in zip("8421", (0, 2, 1, 1), strict=True)
    ]
    for share, expected in ((1, "8124"), (0.75, "812"), (0.5, "81"), (0.49, "8"), (0.1, "")):
        ids = choose_cleanest(make_candidates(rows), share)["doc_id"].to_pylist()
        assert "".join(doc_id[-1] for doc_id in ids) == expected


def test_the_first_document_that_is_too_long_ends_the_choice():
    rows = [("1".zfill(32), 0, 10), ("2".zfill(32), 1, 80), ("3".zfill(32), 2, 10)]
    assert len(choose_cleanest(make_candidates(rows), 0.5)) == 1


def test_what_is_chosen_is_written_and_told(job, chosen):
    table = pq.read_table(job.run / "reference" / "documents.parquet")
    assert table.schema.names == DOCUMENTS.names
    assert chosen["documents"] == len(table) > 0
    assert chosen["tokens"] == sum(table["tokens"].to_pylist())
    assert chosen["most_failed"] == max(table["failed"].to_pylist())


def test_shards_hold_the_chosen_and_all_of_validation_at_weight_one(job, chosen):
    wanted = set(pq.read_table(job.run / "reference" / "documents.parquet")["doc_id"].to_pylist())
    found = {"train": set(), "validation": set()}
    for path in sorted(locate_shards(job).glob("*.arrow")):
        shard = open_shard(path)
        assert (shard.info.policy, shard.info.tokenizer_sha256) == ("uniform", "ab")
        for segment in shard.segments:
            found[shard.info.split] |= set(segment.doc_ids.to_pylist())
            assert (segment.weights_N == 1).all()
            assert not segment.reasons_N.any()
    assert found["train"] == wanted
    units = [load_tokens(job, uid) for uid in range(len(UNITS))]
    validation = [u.doc_ids.filter(pa.array(~u.train_D)).to_pylist() for u in units]
    assert found["validation"] == {doc_id for ids in validation for doc_id in ids}


def test_documents_with_evaluation_items_are_not_trained_on(job, chosen):
    wanted = set(pq.read_table(job.run / "reference" / "documents.parquet")["doc_id"].to_pylist())
    contaminated = load_tokens(job, 1)
    assert contaminated.train_D.any()
    assert not wanted & set(contaminated.doc_ids.to_pylist())


def test_the_chosen_are_counted_by_their_halves(job, chosen):
    rows = pq.read_table(job.run / "reference" / "documents.parquet").to_pylist()
    counts = count_halves(job)
    assert list(counts) == ["a", "b"]
    assert sum(half["documents"] for half in counts.values()) == chosen["documents"]
    of_a = [row["tokens"] for row in rows if is_of_half([row["doc_id"]], "a")[0]]
    assert counts["a"] == {"documents": len(of_a), "tokens": sum(of_a)}
    assert 0 < len(of_a) < len(rows)


def test_tokens_of_a_shard_are_those_of_its_documents(job, chosen):
    units = [load_tokens(job, uid) for uid in range(len(UNITS))]
    own = {
        doc_id: ids
        for unit in units
        for doc_id, ids in zip(
            unit.doc_ids.to_pylist(), np.split(unit.ids_N, unit.offsets_D1[1:-1]), strict=True
        )
    }
    for path in locate_shards(job).glob("*.arrow"):
        (segment,) = open_shard(path).segments
        parts = np.split(segment.ids_N, segment.offsets_D1[1:-1])
        for doc_id, ids in zip(segment.doc_ids.to_pylist(), parts, strict=True):
            assert np.array_equal(ids, own[doc_id])
