"""The tables of a recipe that concern documents and are not the settings of a job as they stand.

Those that are: `pipelines.readers.records` and `pipelines.settings`. Those that concern tokens:
`flows.recipe.token_sections`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import model_validator

from flows.recipe.tables import Section
from pipelines.readers.records import ReadOptions
from pipelines.settings import (
    ContaminationSettings,
    DedupeSettings,
    NearSettings,
    PassageSettings,
    RuleName,
    ScoreSettings,
)
from weighting.errors import AssayError
from weighting.knobs import Names, as_in, knob, list_knobs
from weighting.vocabulary import CONFIG

MEGABYTE = 1_000_000


class RuleBounds(Section):
    """Bounds of one rule; a document outside them is dropped."""

    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("give min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is above max")
        return self


@dataclass(frozen=True)
class Dedupe:
    """Which copies are removed. The best of them stays, then the longest, then by content hash."""

    exact: bool = knob(**as_in(DedupeSettings, "exact"))
    near: bool = knob(
        True, "Of documents with similar shingles, keep one (MinHash, then exact Jaccard)."
    )
    jaccard: float = knob(**as_in(NearSettings, "jaccard"))
    words: int = knob(**as_in(NearSettings, "words"))
    bands: int = knob(**as_in(NearSettings, "bands"))
    rows: int = knob(**as_in(NearSettings, "rows"))
    seed: int = knob(**as_in(NearSettings, "seed"))
    numbers: Literal["zero", "keep"] = knob(**as_in(NearSettings, "numbers"))
    drop: Literal["cluster", "similar"] = knob(**as_in(NearSettings, "drop"))
    quality: RuleName | None = knob(**as_in(DedupeSettings, "quality"))
    index: bool = knob(**as_in(DedupeSettings, "index"))
    memory_mb: float = knob(
        DedupeSettings.memory / MEGABYTE,
        "Megabytes that one process may take to find copies and repeated passages.",
        above=0,
    )

    def __post_init__(self) -> None:
        """Refuse near copies without the exact ones."""
        if self.near and not self.exact:
            raise AssayError("near copies include the exact ones: set exact = true")

    def settings(self, passages: PassageSettings | None) -> DedupeSettings | None:
        """Return what the curate job needs; None where nothing is to be found."""
        if not self.exact and passages is None:
            return None
        near = {key: getattr(self, key) for key in list_knobs(NearSettings)}
        return DedupeSettings(
            exact=self.exact,
            near=NearSettings(**near) if self.near else None,
            passages=passages,
            quality=self.quality,
            index=self.index,
            memory=int(self.memory_mb * MEGABYTE),
        )


@dataclass(frozen=True)
class Passages:
    """Lines, paragraphs and runs of words that several of the kept documents hold."""

    action: Literal["mark", "delete", "off"] = knob(
        "mark",
        "Mark them, so that they weigh less; delete them from all documents but one; or neither.",
    )
    words: int = knob(**as_in(PassageSettings, "words"))
    line_chars: int = knob(**as_in(PassageSettings, "line_chars"))
    documents: int = knob(**as_in(PassageSettings, "documents"))

    def settings(self) -> PassageSettings | None:
        """Return what the curate job needs."""
        if self.action == "off":
            return None
        known = {key: getattr(self, key) for key in list_knobs(PassageSettings)}
        return PassageSettings(**known, delete=self.action == "delete")


def check_read(table: ReadOptions) -> None:
    """Refuse a text field without a name.

    Raises:
        AssayError: the name is empty.
    """
    if not table.text_field:
        raise AssayError("text_field must name a field")


def check_decontaminate(table: ContaminationSettings) -> None:
    """Refuse weights that are both 0, and two sets of one name.

    Raises:
        AssayError: nothing could be found, or what is found could not be told apart.
    """
    if not table.question and not table.answer:
        raise AssayError("question and answer cannot both weigh nothing")
    names = [one.name for one in table.sets]
    if twice := [name for name in names if names.count(name) > 1]:
        raise AssayError(f"two sets are named {twice[0]!r}")


@dataclass(frozen=True)
class TokenizerTable:
    """Train a byte-level BPE, or take the one at `path`."""

    vocab_size: int = knob(16384, "Entries of the vocabulary.", least=257, most=2**31)
    sample_mb: float = knob(100.0, "Megabytes of text to train on.", above=0)
    path: Annotated[str, Names("tokenizer")] | None = knob(
        None, "A tokenizer.json, or the folder of a model that has one; then nothing is trained."
    )
    end_of_text: str | None = knob(
        None,
        "The special token that ends documents; by default that of tokenizer_config.json beside "
        "it, or one of a usual name.",
    )

    def list_files(self) -> dict[str, str | None]:
        """Return the files that say what the tokenizer is, by key; None for one not named."""
        named: dict[str, str | None] = {"tokenizer.path": self.path}
        if self.path is not None and self.end_of_text is None:
            beside = Path(self.path).with_name(CONFIG)
            named |= {"tokenizer.config": str(beside)} if beside.exists() else {}
        return named


def check_tokenizer(table: TokenizerTable) -> None:
    """Refuse an end of text for a tokenizer that the run trains, which has one of its own.

    Raises:
        AssayError: there is one.
    """
    if table.end_of_text is not None and table.path is None:
        raise AssayError(
            "end_of_text is of a tokenizer that path names; give path, or leave it out"
        )


@dataclass(frozen=True)
class Split:
    """How documents are divided."""

    validation: float = knob(**as_in(ScoreSettings, "validation_share"))


@dataclass(frozen=True)
class Limits:
    """When a run gives up."""

    max_quarantined: float = knob(
        0.25,
        "Share of the records, and of the bytes of text, that may be unreadable.",
        least=0,
        most=1,
    )
