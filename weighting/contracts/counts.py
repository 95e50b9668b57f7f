"""The manifest's counts: what became of every record, token and unit of weight.

A reweighing shares `documents` and `signals` with the run it comes from and has `weights` of its
own. All of it goes to JSON and back by `weighting.storage.json_records`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Funnel:
    """What was read and what became of it, in one measure: records, characters or tokens."""

    read: int
    kept: int
    dropped: int
    duplicate: int
    quarantined: int


@dataclass(frozen=True)
class RuleCost:
    """What one rule cost; see `weighting.contracts.statistics.RULE_STATS`."""

    rule: str
    documents: int
    chars: int
    tokens: int
    alone_documents: int
    alone_tokens: int
    failing_documents: int
    failing_tokens: int
    valued_documents: int


@dataclass(frozen=True)
class SetCounts:
    """Items of an evaluation set, and those of them that are too short to be found."""

    items: int
    hidden: int


@dataclass(frozen=True)
class LanguageCounts:
    """Documents that were judged by the words and bounds of one language.

    `unknown` are those of English whose own language is none that is known; `unvalued` counts those
    in which a rule has no value for want of something in the language, by rule.
    """

    documents: int
    kept: int
    unknown: int
    unvalued: Mapping[str, int]


@dataclass(frozen=True)
class Replay:
    """What a replay changed: records that can be read now and could not before, net.

    `errors` counts the quarantined records by error type, before and after; `fields` says what was
    read instead of the recipe's fields; `changed` names the inputs with other content.
    """

    recovered: int
    errors: Mapping[str, tuple[int, int]]
    fields: Mapping[str, str]
    changed: list[str]


@dataclass(frozen=True)
class DocumentCounts:
    """What became of the input, whatever the policy."""

    records: Funnel
    chars: Funnel
    tokens: Funnel
    skipped: Mapping[str, int]  # stored records that are intact, but not documents, by kind
    rules: Mapping[str, RuleCost]
    sets: Mapping[str, SetCounts]
    encoders: list[str]  # libraries that encoded the text
    replays: list[Replay] = field(default_factory=list)  # oldest first
    # fields of documents that could not be kept as metadata, by reason
    left_out: Mapping[str, int] = field(default_factory=dict)
    languages: Mapping[str, LanguageCounts] = field(default_factory=dict)  # judged as

    @property
    def funnels(self) -> Mapping[str, Funnel]:
        """The funnels by measure."""
        return {"records": self.records, "chars": self.chars, "tokens": self.tokens}


@dataclass(frozen=True)
class SignalFacts:
    """What signals were measured, and the corpus-wide numbers that tokens are held against."""

    stored: list[str]  # in the sidecars
    means: Mapping[str, float | None]  # of all signals, over the train split's text, in nats
    rare_surprisal: float | None  # from this surprisal on, a type is rare; None: no type is
    reference: Mapping[str, Any] | None = None  # what the models say of themselves, where any did


@dataclass(frozen=True)
class SplitCounts:
    """Documents, tokens and weights of a split's shards."""

    documents: int
    tokens: int
    mass: float  # sum of the weights
    squares: float  # sum of their squares
    zeros: int  # tokens of weight 0
    max: float
    histogram: list[int]  # of weights, between the edges
    histogram_edges: list[float]


@dataclass(frozen=True)
class MassTable:
    """Shares of tokens and of weight mass; `effective_share` is (Σw)² / (n Σw²), 1 if uniform."""

    effective_share: float
    top10_tokens: float
    top10_mass: float
    top100_tokens: float
    top100_mass: float
    rarest_half_tokens: float
    rarest_half_mass: float
    zero_tokens: float
    max_weight: float


@dataclass(frozen=True)
class SplitScale:
    """How the raw weights of a split became weights of mean 1.

    See `weighting.policies.normalisation.Scale`; `cuts` are those of ranked signals
    (`weighting.policies.quantiles.Cut`), as arrays of their fields. From the gain `golden_from` on,
    in nats, tokens that the rule finds are golden; None: none is.
    """

    mean: float
    mix: float
    divisor: float
    effective: float
    cuts: Mapping[str, list[float]] = field(default_factory=dict)
    golden_from: float | None = None


@dataclass(frozen=True)
class WeighingFacts:
    """All that the weight of a token follows from, beside its signals."""

    policy: str
    params: Mapping[str, Any]
    splits: Mapping[str, SplitScale]
    golden: str  # rule of the golden flag
    borders: list[int] | None  # where the selection of documents ends, where there is one


@dataclass(frozen=True)
class SelectionCounts:
    """Which documents of the train split were weighed, and how much that left."""

    by: str
    tokens: int
    seed: int
    kept_documents: int
    kept_tokens: int
    left_documents: int
    left_tokens: int


@dataclass(frozen=True)
class WeightCounts:
    """Where the weight went: what a policy decides."""

    splits: Mapping[str, SplitCounts]
    mass: MassTable
    weighing: WeighingFacts
    selection: SelectionCounts | None


@dataclass(frozen=True)
class Counts:
    """The manifest's counts."""

    documents: DocumentCounts
    signals: SignalFacts
    weights: WeightCounts
