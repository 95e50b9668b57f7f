"""What weighing leaves of each unit, as JSON: where the weight of its shards lies.

The verify stage adds the summaries up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class SourceWeight(NamedTuple):
    """Documents, tokens and weight mass of a source."""

    documents: int
    tokens: int
    mass: float


class TokenWeight(NamedTuple):
    """Tokens of some kind, and their weight mass."""

    tokens: int
    mass: float


class DecileWeight(NamedTuple):
    """Tokens of types of a frequency decile (0: of types that the train split lacks)."""

    decile: int
    tokens: int
    mass: float


@dataclass(frozen=True)
class ShardSummary:
    """A shard: its file, and where its weight lies. The mappings name only what it holds."""

    path: str  # in the run
    sha256: str
    documents: int
    tokens: int
    mass: float  # sum of the weights
    squares: float  # sum of their squares
    zeros: int  # tokens of weight 0
    max: float
    histogram: list[int]  # see `pipelines.weigh.shard_sums.histogram`
    sources: Mapping[str, SourceWeight]
    reasons: Mapping[str, TokenWeight]
    trajectories: Mapping[str, TokenWeight]
    deciles: Mapping[str, list[DecileWeight]]  # by source


@dataclass(frozen=True)
class WeighSummary:
    """The unit's shards by split; a split without documents in it has none."""

    tokens: int
    shards: Mapping[str, ShardSummary] = field(default_factory=dict)
