"""Summaries: what a step writes of a unit is what later steps read."""

import numpy as np
import pytest

from pipelines.score.moments import Moments, measure
from pipelines.weigh.shard_summary import (
    DecileWeight,
    ShardSummary,
    SourceWeight,
    TokenWeight,
    WeighSummary,
)
from pipelines.work.files import RecordFile
from pipelines.work.summaries import (
    CleanSummary,
    RecordSummary,
    Rejected,
    ScoreSummary,
    Seldom,
    TokenizeSummary,
)
from weighting.signals.registry import Signals
from weighting.signals.token_types import Types

SIGNALS = Signals(
    Types(np.array([5, 2, 1]), np.array([2, 2, 1]), 2),
    np.array([0, 0, 1, 2]),
    {"ngram_gain": np.array([0.1, -1e-3, 2.5, 0], np.float32)},
)
SHARD = ShardSummary(
    path="shards/train-000001.arrow",
    sha256="ab" * 32,
    documents=3,
    tokens=9,
    mass=9.000000000000002,
    squares=11.25,
    zeros=1,
    max=3.0,
    histogram=[1, 0, 8],
    sources={"a": SourceWeight(documents=3, tokens=9, mass=9.0)},
    reasons={"golden": TokenWeight(tokens=2, mass=4.5)},
    trajectories={},
    deciles={"a": [DecileWeight(decile=0, tokens=1, mass=0.5), DecileWeight(10, 8, 8.5)]},
)


@pytest.mark.parametrize(
    "summary",
    [
        RecordSummary(3),
        CleanSummary(3, {"request": 7}),
        TokenizeSummary(9, ["gigatoken", "tokenizers"]),
        ScoreSummary(4, ["ngram_gain"], {"train": measure(SIGNALS, np.arange(4) == 3)}),
        ScoreSummary(0, [], {"validation": Moments()}),
        WeighSummary(9, {"train": SHARD}),
        WeighSummary(0),
        Rejected("ab", "s", "a.jsonl: byte 0", "bad_json"),
        Seldom(once=5, twice=0),
    ],
    ids=lambda summary: type(summary).__name__,
)
def test_a_summary_is_read_back_to_the_last_bit(tmp_path, summary):
    file = RecordFile(tmp_path / "summary.json", type(summary))
    file.write(summary)
    assert file.read() == summary


def test_steps_count_records_or_tokens():
    """Progress bars read one of the two, whichever the job's steps have."""
    assert all(hasattr(kind(3), "records") for kind in (RecordSummary, CleanSummary))
    for kind in (TokenizeSummary, ScoreSummary, WeighSummary):
        assert "tokens" in kind.__annotations__
