"""The tables of a recipe that concern documents: their keys, defaults and what is valid.

Those that concern tokens: `flows.recipe.token_sections`.
"""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)

from flows.recipe.problems import name_choices
from pipelines.edits.pii import KINDS
from pipelines.readers.extract import EXTRACTORS
from pipelines.rules.registry import FAMILIES, list_rules
from pipelines.settings import (
    ContaminationSettings,
    DedupeSettings,
    EvaluationSet,
    NearSettings,
    PassageSettings,
)

MEGABYTE = 1_000_000
URL_LISTS = ("blocked_domains", "blocked_urls", "hard_words", "soft_words", "banned_subwords")


def _choice(kind: str, valid: Collection[str]) -> AfterValidator:
    """Return a validator for names out of a list."""

    def check(name: str) -> str:
        if name not in valid:
            raise ValueError(name_choices(f"{kind} {name!r}", valid, name))
        return name

    return AfterValidator(check)


def _anchor(path: str, info: ValidationInfo) -> str:
    """Return the path of a file, absolute; relative ones start where the recipe lies.

    Only a recipe that is read from TOML has such a folder: what a run remembers stays as it is.
    """
    if info.context is None:
        return path
    anchored = Path(info.context["folder"], path).absolute()
    if not anchored.is_file():
        raise ValueError(f"no such file: {anchored}")
    return str(anchored)


RuleName = Annotated[str, _choice("rule", list_rules())]
Extractor = Annotated[str, _choice("extractor", EXTRACTORS)]
PiiKind = Annotated[str, _choice("kind", KINDS)]
FamilyName = Annotated[str, _choice("family", FAMILIES)]
ListFile = Annotated[str, AfterValidator(_anchor)]
Share = Annotated[float, Field(ge=0, le=1)]


def _check_language(code: str) -> str:
    if not re.fullmatch("[a-z]{2,3}", code):
        raise ValueError(f"must be an ISO 639 code such as en, is {code!r}")
    return code


Language = Annotated[str, AfterValidator(_check_language)]


class Section(BaseModel):
    """A table of the recipe; unknown keys and values of another type are errors."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


class Read(Section):
    """How records are read."""

    text_field: str = "text"
    """The field that holds a record's text."""
    source_field: str = "source"
    """The field that names its source; without it the file's name does."""
    html: bool = False
    """The text of JSONL, CSV, Parquet and the like is HTML: take the main text of it."""
    extractor: Extractor = "resiliparse"
    """What finds the main text of HTML: resiliparse (fast), trafilatura (careful), raw (none)."""


class Clean(Section):
    """What is changed in every text."""

    repair: bool = True
    """Unicode repair with ftfy, before the rules see the text."""
    symbol_lines: bool = False
    """Remove lines of nothing but symbols, before the rules see the text."""
    line_rules: bool = False
    """Remove the lines that fail C4's line rules."""
    pii: list[PiiKind] = []
    """Personal data to replace, last of all."""


class RuleOptions(Section):
    """What rules need besides the text. A relative path starts at the recipe's folder."""

    families: list[FamilyName] = []
    """Rule families whose values are computed; none named: all."""
    compat: bool = False
    """Reproduce the known faults of the reference implementation."""
    terminal_punctuation: bool = True
    """C4's line rules ask for a punctuation mark at the end of a line."""
    languages: list[Language] = ["en"]
    """Wanted languages, ISO 639-1 (of those that have no such code, ISO 639-3)."""
    bad_words: dict[str, ListFile] = {}
    """Language to list of phrases, one a line."""
    unigrams: ListFile | None = None
    """CSV of word,count."""
    blocked_domains: ListFile | None = None
    """Registered domains or hosts, one a line."""
    blocked_urls: ListFile | None = None
    """URLs, one a line."""
    hard_words: ListFile | None = None
    """Words of which one in a URL drops it, one a line."""
    soft_words: ListFile | None = None
    """Words of which two in a URL drop it, one a line."""
    banned_subwords: ListFile | None = None
    """What may stand nowhere in a URL's letters and digits, one a line."""


class Rule(Section):
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


class Dedupe(Section):
    """Which copies are removed. The best of them stays, then the longest, then by content hash."""

    exact: bool = True
    """Of documents whose cleaned texts are equal, keep one."""
    near: bool = True
    """Of documents with nearly the same words, keep one (MinHash, then exact Jaccard)."""
    jaccard: Annotated[float, Field(gt=0, le=1)] = NearSettings.jaccard
    """Least share of shingles in common, of all that two near copies have."""
    words: Annotated[int, Field(ge=1, le=100)] = NearSettings.words
    """Words of a shingle."""
    bands: Annotated[int, Field(ge=1, le=255)] = NearSettings.bands
    """Bands of the MinHash: two documents that agree in one are compared."""
    rows: Annotated[int, Field(ge=1, le=64)] = NearSettings.rows
    """Hashes of a band."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = NearSettings.seed
    """Seed of the hash functions."""
    quality: RuleName | None = None
    """The rule whose higher value is better; without one, the fewest published bounds failed."""
    index: bool = True
    """Keep what a later run needs to be compared with this one (assay curate --against)."""
    memory_mb: Annotated[float, Field(gt=0)] = 256.0
    """Megabytes that one process may take to find copies and repeated passages."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.near and not self.exact:
            raise ValueError("near copies include the exact ones: set exact = true")
        return self

    def settings(self, passages: PassageSettings | None) -> DedupeSettings | None:
        """Return what the curate job needs; None where nothing is to be found."""
        if not self.exact and passages is None:
            return None
        keys = ("words", "bands", "rows", "seed", "jaccard")
        near = NearSettings(**{key: getattr(self, key) for key in keys}) if self.near else None
        memory = int(self.memory_mb * MEGABYTE)
        return DedupeSettings(self.exact, near, passages, self.quality, self.index, memory)


class Passages(Section):
    """Lines, paragraphs and runs of words that several of the kept documents hold."""

    action: Literal["mark", "delete", "off"] = "mark"
    """Mark them, so that they weigh less; delete them from all documents but one; or neither."""
    words: Annotated[int, Field(ge=2, le=10_000)] = PassageSettings.words
    """Least length of a run."""
    line_chars: Annotated[int, Field(ge=1)] = PassageSettings.line_chars
    """Least characters of a line or paragraph."""
    documents: Annotated[int, Field(ge=2)] = PassageSettings.documents
    """Least number of documents that hold it."""

    def settings(self) -> PassageSettings | None:
        """Return what the curate job needs."""
        if self.action == "off":
            return None
        delete = self.action == "delete"
        return PassageSettings(self.words, self.line_chars, self.documents, delete)


class EvaluationTable(Section):
    """A file of evaluation items, one JSON object a line."""

    name: Annotated[str, Field(min_length=1)]
    path: ListFile
    question: str
    """Field with the text that is shown."""
    answer: str | None = None
    """Field with the text, or list of texts, that is asked for."""
    label: str | None = None
    """Field that says which of several answers is right."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.label is not None and self.answer is None:
            raise ValueError("label says which answer is right: give answer as well")
        return self


class Decontaminate(Section):
    """Evaluation items to look for; the rule `contamination` with a max drops the documents."""

    words: Annotated[int, Field(ge=1, le=100)] = ContaminationSettings.words
    """Words of an n-gram."""
    least_words: Annotated[int, Field(ge=1)] = ContaminationSettings.least_words
    """Shorter items are one n-gram, down to this length; those below cannot be found."""
    question: Annotated[float, Field(ge=0)] = ContaminationSettings.question
    """Weight of the share that is found of the question's n-grams."""
    answer: Annotated[float, Field(ge=0)] = ContaminationSettings.answer
    """Weight of the share that is found of the n-grams with words of the answer."""
    share: Annotated[float, Field(gt=0, le=1)] = ContaminationSettings.share
    """An item stands in a document from this weighed share on; its tokens are marked."""
    sets: list[EvaluationTable] = []
    """Files of items: { name, path, question, answer, label }; the last two may be left out."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.question and not self.answer:
            raise ValueError("question and answer cannot both weigh nothing")
        names = [table.name for table in self.sets]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"two sets are named {twice[0]!r}")
        return self

    def settings(self) -> ContaminationSettings | None:
        """Return what the curate job needs."""
        if not self.sets:
            return None
        sets = tuple(EvaluationSet(**table.model_dump()) for table in self.sets)
        return ContaminationSettings(
            sets, self.words, self.least_words, self.question, self.answer, self.share
        )


class TokenizerTable(Section):
    """Train a byte-level BPE, or take the one at `path`."""

    vocab_size: Annotated[int, Field(ge=257, le=2**31)] = 16384
    sample_mb: Annotated[float, Field(gt=0)] = 100.0
    """Megabytes of text to train on."""
    path: ListFile | None = None
    """A tokenizer.json; then nothing is trained."""


class Split(Section):
    """How documents are divided."""

    validation: Annotated[float, Field(ge=0, lt=1)] = 0.02
    """Share of the documents that is held out, chosen by their id."""


class Limits(Section):
    """When a run gives up."""

    max_quarantined: Share = 0.25
    """Share of the records that may be unreadable."""
