"""The shard's laws, on write and on open; other libraries read it without our code."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weighting.contracts.manifest import check_weight_mass
from weighting.contracts.shard_info import METADATA_KEY
from weighting.contracts.shards import ShardInfo, Tokens, open_shard, write_shard
from weighting.errors import BrokenContract, BrokenInvariant

INFO = ShardInfo("hash", vocab_size=50, eos_id=0, split="train", policy="uniform")


def batch(documents, weight=1.0):
    """Tokens of documents given as lists of ids."""
    ids = np.array([i for document in documents for i in document], np.int64)
    return Tokens(
        doc_ids=[f"d{i}" for i in range(len(documents))],
        sources=["s"] * len(documents),
        offsets_D1=np.cumsum([0, *map(len, documents)]),
        ids_N=ids,
        weights_N=np.full(len(ids), weight, np.float32),
        reasons_N=np.zeros(len(ids), np.uint8),
    )


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.lists(st.integers(0, 49), max_size=9), max_size=5), max_size=3))
def test_what_is_written_is_read_back(tmp_path_factory, batches):
    path = tmp_path_factory.mktemp("shard") / "train-0.arrow"
    write_shard(path, INFO, [batch(documents) for documents in batches])
    shard = open_shard(path)
    assert shard.info == INFO
    read = [
        [segment.ids_N[a:b].tolist() for a, b in itertools.pairwise(cuts)]
        for segment in shard.segments
        for cuts in [segment.offsets_D1]
    ]
    assert read == batches


def test_arrays_are_views_of_the_mapped_file(tmp_path):
    write_shard(tmp_path / "a.arrow", INFO, [batch([[1, 2, 3]])])
    segment = open_shard(tmp_path / "a.arrow").segments[0]
    assert not segment.ids_N.flags.owndata
    assert segment.ids_N.dtype == np.uint16


def test_large_vocabularies_take_four_bytes(tmp_path):
    info = ShardInfo("hash", vocab_size=70_000, eos_id=0, split="train", policy="uniform")
    write_shard(tmp_path / "a.arrow", info, [batch([[69_999]])])
    assert open_shard(tmp_path / "a.arrow").segments[0].ids_N.tolist() == [69_999]


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), -1.0])
def test_a_weight_that_is_no_weight_is_refused_on_write(tmp_path, weight):
    with pytest.raises(BrokenContract, match="token 0 has weight"):
        write_shard(tmp_path / "a.arrow", INFO, [batch([[1]], weight)])
    assert not list(tmp_path.iterdir())


def test_an_id_outside_the_vocabulary_is_refused(tmp_path):
    with pytest.raises(BrokenContract, match="vocabulary ends at 49"):
        write_shard(tmp_path / "a.arrow", INFO, [batch([[1, 50]])])


def test_lists_of_unequal_length_are_refused(tmp_path):
    tokens = batch([[1, 2]])
    short = Tokens(
        tokens.doc_ids,
        tokens.sources,
        tokens.offsets_D1,
        tokens.ids_N[:1],
        tokens.weights_N,
        tokens.reasons_N,
    )
    with pytest.raises(BrokenContract, match=r"lengths \[1, 2\]"):
        write_shard(tmp_path / "a.arrow", INFO, [short])


def foreign_shard(path, weights, metadata=None):
    """A file that obeys the columns but was written by other hands."""
    from weighting.contracts.shards import shard_schema

    schema = shard_schema(INFO)
    if metadata is not None:
        schema = schema.with_metadata(metadata)
    row = {
        "doc_id": ["d"],
        "source": ["s"],
        "input_ids": [[1, 2]],
        "weights": [weights],
        "reasons": [[0, 0]],
    }
    arrays = [pa.array(row[field.name], field.type) for field in schema]
    with pa.ipc.new_file(str(path), schema) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))


@pytest.mark.parametrize(
    ("weights", "message"),
    [([1.0], "differ in length"), ([1.0, -2.0], "token 1 has weight"), (None, "weights is null")],
)
def test_laws_are_checked_on_open(tmp_path, weights, message):
    halves = None if weights is None else [np.float32(w) for w in weights]
    foreign_shard(tmp_path / "a.arrow", halves)
    with pytest.raises(BrokenContract, match=message):
        open_shard(tmp_path / "a.arrow")


def test_another_schema_version_is_refused_by_number(tmp_path):
    foreign_shard(tmp_path / "a.arrow", [1.0, 1.0], {METADATA_KEY: b'{"schema_version": 7}'})
    with pytest.raises(BrokenContract, match="schema version 7"):
        open_shard(tmp_path / "a.arrow")


def test_a_file_that_says_nothing_is_refused_with_what_to_add(tmp_path):
    foreign_shard(tmp_path / "train-0.arrow", [1.0, 1.0], {})
    with pytest.raises(BrokenContract, match="does not say which tokenizer"):
        open_shard(tmp_path / "train-0.arrow")


def test_a_truncated_or_missing_shard_is_named(tmp_path):
    path = tmp_path / "a.arrow"
    write_shard(path, INFO, [batch([[1, 2, 3]])])
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BrokenContract, match=r"a\.arrow: not a whole Arrow IPC file"):
        open_shard(path)
    with pytest.raises(BrokenContract, match=r"b\.arrow: no such shard"):
        open_shard(tmp_path / "b.arrow")


def test_weight_mass_of_a_split_must_equal_its_tokens(tmp_path):
    write_shard(tmp_path / "a.arrow", INFO, [batch([[1, 2]], 0.5)])
    write_shard(tmp_path / "b.arrow", INFO, [batch([[1, 2]], 1.5)])
    shards = [open_shard(tmp_path / name) for name in ("a.arrow", "b.arrow")]
    check_weight_mass("train", shards)
    with pytest.raises(BrokenInvariant, match=r"mass 1\.0 for 2 tokens"):
        check_weight_mass("train", shards[:1])


def test_pyarrow_and_duckdb_read_a_shard(tmp_path):
    import duckdb

    path = tmp_path / "train-0.arrow"
    write_shard(path, INFO, [batch([[1, 2], [3]])])
    shard = pa.ipc.open_file(path).read_all()
    assert shard.column("input_ids").to_pylist() == [[1, 2], [3]]
    with duckdb.connect() as connection:
        rows = connection.execute("select doc_id, list_sum(weights) from shard").fetchall()
    assert rows == [("d0", 2.0), ("d1", 1.0)]
