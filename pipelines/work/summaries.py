"""What steps leave as JSON of each unit: counts and sums, which the verify stage adds up.

A summary is a step's last word on a unit; progress bars show its records or tokens. What weighing
leaves: `pipelines.weigh.shard_summary`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pipelines.score.moments import Moments


@dataclass(frozen=True)
class RecordSummary:
    """A unit's records, of a step with nothing else to tell."""

    records: int


@dataclass(frozen=True)
class Losses:
    """Bytes of text that could not be read (see `pipelines.curate.lost_bytes`).

    `broken` are files of which more than single records could not be read, `silent` the bytes of
    slices that gave nothing, by file.
    """

    lost: int = 0
    broken: list[str] = field(default_factory=list)
    silent: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class CleanSummary:
    """Documents and quarantined records, and stored records that are no documents, by kind.

    `left_out` counts the fields of documents that could not be kept as metadata, by reason.
    """

    records: int
    skipped: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    losses: Losses = field(default_factory=Losses)


@dataclass(frozen=True)
class TokenizeSummary:
    """Tokens of the kept documents, ends of text included, and the libraries that encoded them."""

    tokens: int
    encoders: list[str]


@dataclass(frozen=True)
class ScoreSummary:
    """Tokens, the signals in the sidecars in order, and the moments of all signals by split."""

    tokens: int
    stored: list[str]
    moments: Mapping[str, Moments]


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
