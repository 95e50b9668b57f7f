"""What steps leave as JSON of each unit: counts and sums, which the verify stage adds up.

A summary is a step's last word on a unit; progress bars show its `amount`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pipelines.score.moments import Moments


@dataclass(frozen=True)
class RecordSummary:
    """Of a step that goes through a unit's records."""

    records: int

    @property
    def amount(self) -> int:
        """The records."""
        return self.records


@dataclass(frozen=True)
class CleanSummary(RecordSummary):
    """What was read: documents and quarantined records, and what was skipped, by kind."""

    skipped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class TokenSummary:
    """Of a step that goes through a unit's tokens, end-of-text tokens included."""

    tokens: int

    @property
    def amount(self) -> int:
        """The tokens."""
        return self.tokens


@dataclass(frozen=True)
class TokenizeSummary(TokenSummary):
    """The tokens of kept documents, and the libraries that encoded the text."""

    encoders: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ScoreSummary(TokenSummary):
    """The names of the signals in the sidecars, in order, and all signals' moments by split."""

    stored: list[str] = field(default_factory=list)
    moments: Mapping[str, Moments] = field(default_factory=dict)


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
    """A shard: its file, and where its weight lies. `sources` has only those that it holds."""

    path: str  # in the run
    sha256: str
    documents: int
    tokens: int
    mass: float  # sum of the weights
    squares: float  # sum of their squares
    zeros: int  # tokens of weight 0
    max: float
    histogram: list[int]  # see `pipelines.weigh.write_shards.histogram`
    sources: Mapping[str, SourceWeight]
    reasons: Mapping[str, TokenWeight]
    trajectories: Mapping[str, TokenWeight]
    deciles: Mapping[str, list[DecileWeight]]  # by source


@dataclass(frozen=True)
class WeighSummary(TokenSummary):
    """The unit's shards by split; a split without documents in it has none."""

    shards: Mapping[str, ShardSummary] = field(default_factory=dict)


class Rejected(NamedTuple):
    """What the ledger says of a record that could not be read; `rule` is the type of error."""

    doc_id: str
    source: str
    locator: str
    rule: str


class Seldom(NamedTuple):
    """How many n-grams of a range occur once and twice."""

    once: int
    twice: int
