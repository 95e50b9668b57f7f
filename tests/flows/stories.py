"""What the runs of tests are made of: records, and what became of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

EOS = 256  # ids below are bytes: the tokenizer has no merges
VOCAB = 257
RULES = ("few_words", "odd_words")
SPLITS = ("train", "validation")
ELSEWHERE = -1  # of a copy: the survivor is in an earlier run


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
    """What the run is made of."""

    docs: Sequence[Doc] = DOCS
    bad: Sequence[Bad] = (Bad(), Bad("bad_utf8"))
    skipped: Mapping[str, int] = field(default_factory=dict)
    hits: Sequence[Hit] = ()
    sets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    signals: bool = True
    recipe: Mapping[str, Any] = field(
        default_factory=lambda: {
            "name": "tiny",
            "rules": {"few_words": {"min": 3.0, "max": None}},
            "weights": {"policy": "soft", "cap": 8.0},
        }
    )


def name_doc(number: int) -> str:
    """Return the doc_id of the document of this number."""
    return f"{number:032x}" if number != ELSEWHERE else "e" * 32


def encode(text: str) -> list[int]:
    """Return the ids of a text as the shards hold them, end of text included."""
    return [*text.encode(), EOS]


def weigh(ids: Sequence[int]) -> np.ndarray:
    """Return weights of mean 1 that differ from token to token."""
    raw = 1 + np.asarray(ids, np.float64) % 5
    return (raw / raw.mean()).astype(np.float32)
