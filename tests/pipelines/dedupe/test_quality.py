"""What makes one copy better than another."""

import pyarrow as pa

from pipelines.dedupe.quality import measure_quality
from pipelines.rules.bounds import Bounds

BATCH = pa.RecordBatch.from_pydict(
    {"words": pa.array([10.0, 60.0, None]), "score": pa.array([0.5, None, 0.9])}
)


def test_without_a_rule_every_failed_bound_counts():
    bounds = {"words": Bounds(50, None), "score": Bounds(0.6, None)}
    assert measure_quality(BATCH, None, bounds).tolist() == [-2, 0, 0]
    assert measure_quality(BATCH, None, {}).tolist() == [0, 0, 0]


def test_a_rule_decides_by_its_value_and_no_value_is_worst():
    assert measure_quality(BATCH, "score", {}).tolist() == [0.5, float("-inf"), 0.9]
