"""The accounts of a weighing, from the summaries of its units."""

import pytest

from pipelines.verify.weights import count_split, describe_selection, sum_deciles, sum_groups
from pipelines.weigh.shard_sums import HISTOGRAM_EDGES
from pipelines.weigh.summaries import DecileWeight, ShardSummary, SourceWeight, TokenWeight
from weighting.storage.json_records import from_json, to_json

BINS = len(HISTOGRAM_EDGES) - 1


def make_shard(number, source="a"):
    return ShardSummary(
        path=f"shards/train-{number:06d}.arrow",
        sha256="0" * 64,
        documents=2,
        tokens=10 * number,
        mass=1.5 * number,
        squares=2.0 * number,
        zeros=number,
        max=float(number),
        histogram=[number, *[0] * (BINS - 1)],
        sources={source: SourceWeight(documents=2, tokens=10 * number, mass=1.5 * number)},
        reasons={"rare": TokenWeight(tokens=number, mass=0.5)},
        trajectories={},
        deciles={source: [DecileWeight(decile=3, tokens=10 * number, mass=1.5 * number)]},
    )


UNITS = [
    {"train": make_shard(1)},
    {"train": make_shard(2, "b"), "validation": make_shard(3)},
]


def test_a_split_is_the_sum_of_its_shards():
    train, validation = (count_split(UNITS, split) for split in ("train", "validation"))
    assert (train.documents, train.tokens, train.zeros) == (4, 30, 3)
    assert (train.mass, train.squares, train.max) == (4.5, 6.0, 2.0)
    assert train.histogram[0] == 3
    assert len(train.histogram) == len(train.histogram_edges) - 1
    assert validation.tokens == 30


def test_a_split_without_shards_is_empty():
    split = count_split([UNITS[0]], "validation")
    assert (split.documents, split.tokens, split.mass, split.max) == (0, 0, 0, 0.0)


def test_groups_add_up_by_name_and_split():
    assert sum_groups(UNITS, "sources") == {
        ("a", "train"): [2, 10, 1.5],
        ("a", "validation"): [2, 30, 4.5],
        ("b", "train"): [2, 20, 3.0],
    }
    assert sum_groups(UNITS, "reasons") == {
        ("rare", "train"): [3, 1.0],
        ("rare", "validation"): [3, 0.5],
    }
    assert sum_groups(UNITS, "trajectories") == {}


def test_deciles_add_up_over_both_splits():
    assert sum_deciles(UNITS) == [("a", 3, 40, 6.0), ("b", 3, 20, 3.0)]


@pytest.mark.parametrize("shard", [shard for unit in UNITS for shard in unit.values()])
def test_a_summary_comes_back_from_its_file(shard):
    assert from_json(ShardSummary, to_json(shard)) == shard


def test_nothing_is_told_of_a_selection_that_was_not_made(tmp_path):
    assert describe_selection(tmp_path, None, count_split(UNITS, "train")) is None
