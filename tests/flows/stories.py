"""What the runs of tests are made of: records, and what became of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from weighting.arrays import Float32s
from weighting.contracts.counts import SetCounts
from weighting.policies.params import PolicyParams
from weighting.signals.registry import SIGNALS

EOS = 256  # ids below are bytes: the tokenizer has no merges
VOCAB = 257
RULES = ("few_words", "odd_words")
SPLITS = ("train", "validation")
ELSEWHERE = -1  # of a copy: the survivor is in an earlier run
COUNTED = ("ngram_gain",)  # stored signals of a run without a model
MODELLED = tuple(name for name, signal in SIGNALS.items() if signal.stored)  # of one with models


@dataclass(frozen=True)
class Doc:
    """A record that could be read. `rule` names the rule that dropped it, `also` one more.

    `copy_of` is the number of the document that it is a copy of; `passages` and `contaminated` are
    (start, end, kind, documents) and (start, end, item).
    """

    text: str
    source: str = "books"
    unit: int = 0
    split: str = "train"
    rule: str | None = None
    value: float = 0.25
    also: str | None = None
    copy_of: int | None = None
    similarity: float = 1.0
    judged_as: str | None = None
    passages: Sequence[tuple[int, int, str, int]] = ()
    contaminated: Sequence[tuple[int, int, str]] = ()

    @property
    def failed(self) -> list[str]:
        return [rule for rule in (self.rule, self.also) if rule]

    @property
    def verdict(self) -> str:
        if self.copy_of is not None:
            return "duplicate"
        return "dropped" if self.rule else "kept"


@dataclass(frozen=True)
class Bad:
    """A record that could not be read."""

    error: str = "bad_json"
    payload: bytes = b'{"text": \xff'
    message: str = "unexpected end of data"
    unit: int = 1


@dataclass(frozen=True)
class Hit:
    """An evaluation item in the document of a number."""

    document: int
    set: str = "riddles"
    item: str = "r1"
    score: float = 1.0
    question: str = "What melts"
    answer: str | None = "in the microwave?"
    passage: str = "it melted"


DOCS = (
    Doc("Rain in Paris."),
    Doc("Café au lait ☕ costs 3 €.", source="web"),
    Doc("I put my ice cream in the microwave and then it melted.", unit=1),
    Doc("A page of the web.", source="web", unit=1, split="validation"),
    Doc("buy buy buy", source="web", rule="few_words"),
    Doc("click here", source="web", unit=1, rule="few_words", value=2.0),
)


@dataclass(frozen=True)
class Story:
    """What the run is made of.

    `signals` are those that it stores, in files if `sidecar`. Without a `policy` weights are those
    of `weigh`. The documents of the numbers `left` were not selected.
    """

    docs: Sequence[Doc] = DOCS
    bad: Sequence[Bad] = (Bad(), Bad("bad_utf8"))
    skipped: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    hits: Sequence[Hit] = ()
    sets: Mapping[str, SetCounts] = field(default_factory=dict)
    signals: Sequence[str] = COUNTED
    sidecar: bool = True
    policy: str | None = None
    params: PolicyParams = field(default_factory=PolicyParams)
    left: Sequence[int] = ()
    recipe: Mapping[str, Any] = field(
        default_factory=lambda: {
            "name": "tiny",
            "rules": {"few_words": {"min": 3.0, "max": None}},
            "weights": {"policy": "soft", "cap": 8.0},
        }
    )


def name_doc(number: int) -> str:
    """Return the doc_id of the document of this number; its first eight digits name it."""
    return f"{number:08x}" * 4 if number != ELSEWHERE else "e" * 32


def encode(text: str) -> list[int]:
    """Return the ids of a text as the shards hold them, end of text included."""
    return [*text.encode(), EOS]


def locate(text: str) -> list[int]:
    """Return the first character of each token."""
    return [*(at for at, character in enumerate(text) for _ in character.encode()), len(text)]


def weigh(ids: Sequence[int]) -> np.ndarray:
    """Return weights of mean 1 that differ from token to token."""
    raw = 1 + np.asarray(ids, np.float64) % 5
    return (raw / raw.mean()).astype(np.float32)


def measure(ids: Sequence[int]) -> dict[str, Float32s]:
    """Return values of every stored signal that differ from token to token."""
    ids_N, place_N = np.asarray(ids, np.float32), np.arange(len(ids), dtype=np.float32)
    values: dict[str, np.ndarray] = {
        "ngram_gain": ids_N % 3 - 1,
        "nll": (ids_N + place_N) % 11 / 2,
        "entropy": (ids_N + 2 * place_N) % 9 / 2,
        "excess": (ids_N + place_N) % 7 - 2,
        "change": (ids_N + 3 * place_N) % 8 / 4 - 1,
        "context_gain": (ids_N * 2 + place_N) % 13 / 2 - 2,
        "disagreement": place_N % 5 / 8,
    }
    return {name: values_N.astype(np.float32) for name, values_N in values.items()}


def mark(doc: Doc) -> tuple[np.ndarray, np.ndarray]:
    """Return how many documents hold each token's passage, and whether it is contaminated."""
    starts_N = np.array(locate(doc.text))
    copies_N, contaminated_N = np.ones(len(starts_N), np.int32), np.zeros(len(starts_N), bool)
    for start, end, _, documents in doc.passages:
        copies_N[(starts_N >= start) & (starts_N < end)] = documents
    for start, end, _ in doc.contaminated:
        contaminated_N |= (starts_N >= start) & (starts_N < end)
    return copies_N, contaminated_N
