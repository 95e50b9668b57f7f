"""Where weight went: sums over the units' shards, and what must add up."""

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.settings import Job
from pipelines.verify.weights import (
    check_golden,
    check_invariants,
    check_shards,
    count_split,
    describe_selection,
    sum_deciles,
    sum_groups,
    tabulate_type_weights,
)
from pipelines.weigh.shard_summary import DecileWeight, ShardSummary, SourceWeight, TokenWeight
from pipelines.work.folder import WorkFolder
from tests.pipelines.tokenize.corpora import make_job
from weighting.contracts.counts import DocumentCounts, Funnel, SelectionCounts
from weighting.contracts.shards import ShardInfo, Tokens, write_shard
from weighting.errors import BrokenContract, BrokenInvariant
from weighting.policies.selection import Selection
from weighting.storage.files import sha256

NONE = Funnel(read=0, kept=0, dropped=0, duplicate=0, quarantined=0)


def make_shard(**fields):
    """A shard of two tokens of one document."""
    shard = ShardSummary(
        path="shards/train-000000.arrow",
        sha256="ab",
        documents=1,
        tokens=2,
        mass=2.0,
        squares=2.5,
        zeros=0,
        max=1.5,
        histogram=[0, 2, 0],
        sources={"a": SourceWeight(1, 2, 2.0)},
        reasons={"golden": TokenWeight(1, 1.5)},
        trajectories={},
        deciles={"a": [DecileWeight(1, 1, 0.5), DecileWeight(10, 1, 1.5)]},
    )
    return replace(shard, **fields)


DECILES = {"b": [DecileWeight(10, 2, 2.0)], "a": [DecileWeight(1, 1, 1.0)]}
UNITS = [
    {"train": make_shard(), "validation": make_shard(documents=3, max=9.0, zeros=2)},
    {"train": make_shard(histogram=[1, 1, 5], sources={"b": SourceWeight(1, 2, 2.0)})},
    {},
    {
        "train": make_shard(
            deciles={"b": [DecileWeight(10, 2, 2.0)], "a": [DecileWeight(1, 1, 1.0)]}
        )
    },
]


def test_a_split_is_the_sum_of_its_shards():
    train, validation = (count_split(UNITS, split) for split in ("train", "validation"))
    assert (train.documents, train.tokens, train.mass, train.squares) == (3, 6, 6.0, 7.5)
    assert (train.zeros, train.max, train.histogram) == (0, 1.5, [1, 5, 5])
    assert (validation.documents, validation.zeros, validation.max) == (3, 2, 9.0)


def test_a_split_without_shards_is_empty():
    empty = count_split(UNITS, "test")
    assert (empty.documents, empty.tokens, empty.mass, empty.max) == (0, 0, 0, 0.0)
    assert empty.histogram == [0]


def test_groups_are_summed_by_name_and_split():
    assert sum_groups(UNITS, "sources") == {
        ("a", "train"): [2, 4, 4.0],
        ("a", "validation"): [1, 2, 2.0],
        ("b", "train"): [1, 2, 2.0],
    }
    assert sum_groups(UNITS, "reasons")["golden", "train"] == [3, 4.5]
    assert sum_groups(UNITS, "trajectories") == {}


def test_deciles_are_summed_over_both_splits():
    assert sum_deciles(UNITS) == [("a", 1, 4, 2.5), ("a", 10, 3, 4.5), ("b", 10, 2, 2.0)]


def test_a_type_that_does_not_occur_has_no_mean_weight():
    table = tabulate_type_weights(np.array([3.0, 0.0]), np.array([2, 0]))
    assert table["mean_weight"].to_pylist() == [1.5, None]
    assert table["weight_mass"].to_pylist() == [3.0, 0.0]


def test_without_a_selection_there_is_nothing_to_tell(tmp_path):
    assert describe_selection(tmp_path, None, count_split(UNITS, "train")) is None


def test_what_was_left_out_is_counted_with_its_ends_of_text(tmp_path):
    job = make_job(tmp_path / "run", [["some text", "more", "the rest"]])
    mark_train(job.output("ledger", 0, ".parquet"), tokens=[5, 2, 3])
    train = replace(count_split(UNITS, "train"), documents=1, tokens=6)
    found = describe_selection(job.run, Selection("golden", 7, seed=3), train)
    assert found is not None
    assert (found.by, found.tokens, found.seed) == ("golden", 7, 3)
    assert (found.kept_documents, found.kept_tokens) == (1, 6)
    assert (found.left_documents, found.left_tokens) == (2, 7)


@pytest.mark.parametrize(
    ("golden", "left", "valid"), [(2, 0, True), (3, 0, False), (3, 4, True), (4, 4, False)]
)
def test_golden_is_at_most_its_share_of_the_whole_split(golden, left, valid):
    """Of 10 text tokens 2 may be golden; a selection that left 5 more in one document allows 3."""
    reasons = {"golden": TokenWeight(golden, 1.0), "special": TokenWeight(2, 2.0)}
    units = [{"train": make_shard(tokens=12, reasons=reasons)}]
    selection = None
    if left:
        selection = SelectionCounts("golden", 12, 0, 1, 12, 1, left + 2)
    refusing = pytest.raises(BrokenInvariant, match="train tokens are golden")
    with nullcontext() if valid else refusing:
        check_golden(units, 0.2, selection)


def mark_train(path, tokens):
    """Say in a ledger that its documents are for training, and how many tokens they have."""
    table = pq.read_table(path)
    for name, values in (("split", ["train"] * 3), ("tokens", tokens)):
        at = table.schema.get_field_index(name)
        table = table.set_column(at, name, pa.array(values))
    pq.write_table(table, path)


def count_documents(kept_tokens, kept):
    tokens = replace(NONE, read=kept_tokens, kept=kept_tokens)
    records = replace(NONE, read=kept, kept=kept)
    return DocumentCounts(records, NONE, tokens, skipped={}, rules={}, sets={}, encoders=[])


@pytest.fixture
def job(tmp_path):
    """A run with one train shard of three tokens of two documents."""
    job = Job(tmp_path, WorkFolder(tmp_path / "units"))
    tokens = Tokens(
        doc_ids=["d", "e"],
        sources=["s", "s"],
        offsets_D1=np.array([0, 2, 3]),
        ids_N=np.array([5, 0, 0], np.uint32),
        weights_N=np.array([0.5, 1.5, 1.0], np.float32),
        reasons_N=np.zeros(3, np.uint8),
    )
    info = ShardInfo("ab", 300, 0, "train", "soft")
    write_shard(tmp_path / "shards" / "train-000000.arrow", info, [tokens])
    return job


def test_tokens_of_kept_documents_are_in_shards_or_left_out(job):
    splits = {"train": replace(count_split([], "train"), tokens=3)}
    check_invariants(job, count_documents(kept_tokens=1, kept=2), splits, left_tokens=0)
    check_invariants(job, count_documents(kept_tokens=4, kept=2), splits, left_tokens=3)
    with pytest.raises(BrokenInvariant, match="hold 6 tokens, shards 3, and 2 are not selected"):
        check_invariants(job, count_documents(kept_tokens=4, kept=2), splits, left_tokens=2)


def test_a_shard_must_have_the_bytes_that_were_written(job):
    path = "shards/train-000000.arrow"
    units = [{"train": make_shard(path=path, sha256=sha256(job.run / path))}]
    check_shards(job.run, units)
    units.append({"train": make_shard(path=path, sha256="other")})
    with pytest.raises(BrokenContract, match=r"train-000000\.arrow: bytes changed after"):
        check_shards(job.run, units)
