"""The schema of recipes: what a run does to its documents, table by table."""

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)

from flows.problems import Problem, name_choices
from pipelines.bounds import Bounds
from pipelines.edits.pii import KINDS
from pipelines.readers.extract import EXTRACTORS
from pipelines.records import ReadOptions
from pipelines.rules import FAMILIES, list_rules
from pipelines.settings import CurateSettings, EditSettings, RuleSettings, WeighSettings
from weighting.errors import AssayError
from weighting.policies import PolicyParams, find_policy

SIDECAR_BYTES = 200_000_000
URL_LISTS = ("blocked_domains", "blocked_urls", "hard_words", "soft_words", "banned_subwords")
# Rules that compare with something the user provides: without it nothing can be computed.
NEEDS: Mapping[str, str] = {
    "c4_bad_words": "bad_words",
    "unigram_log_probability": "unigrams",
    "url_blocked_domain": "blocked_domains",
    "url_blocked_host": "blocked_domains",
    "url_blocked_url": "blocked_urls",
    "url_hard_words": "hard_words",
    "url_soft_words": "soft_words",
    "url_banned_subwords": "banned_subwords",
}


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
    """Which copies are removed."""

    exact: bool = True
    """Of documents whose cleaned texts are equal, keep one."""


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


class Weights(Section):
    """The policy that weighs tokens and its dials (see weighting.policies)."""

    policy: str = "soft"
    rarity: float = PolicyParams.rarity
    context: float = PolicyParams.context
    cap: float = PolicyParams.cap
    mix: float = PolicyParams.mix
    golden_gain: float = PolicyParams.golden_gain
    sidecar: bool | None = None
    """Keep every token's signals; by default for corpora up to 200 MB."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        try:
            find_policy(self.policy)
            self.params()
        except AssayError as error:
            raise ValueError(str(error)) from None
        return self

    def params(self) -> PolicyParams:
        """Return the dials as the policies take them."""
        names = PolicyParams.__dataclass_fields__
        return PolicyParams(**{name: getattr(self, name) for name in names})


class Limits(Section):
    """When a run gives up."""

    max_quarantined: Share = 0.25
    """Share of the records that may be unreadable."""


class Recipe(Section):
    """A whole recipe; every field has its default written out in the manifest."""

    name: str
    description: str = ""
    read: Read = Read()
    clean: Clean = Clean()
    rule_options: RuleOptions = RuleOptions()
    rules: dict[RuleName, Rule] = {}
    dedupe: Dedupe = Dedupe()
    tokenizer: TokenizerTable = TokenizerTable()
    split: Split = Split()
    weights: Weights = Weights()
    limits: Limits = Limits()

    def find_missing(self) -> list[Problem]:
        """Return a problem for every rule that is enforced and would have no value."""
        options = self.rule_options
        wanted = options.families or FAMILIES
        lacking = [
            (rule, f"add {name!r} to rule_options.families")
            for name, family in FAMILIES.items()
            for rule in family.rules
            if name not in wanted
        ]
        lacking += [
            (rule, f"set rule_options.{key}")
            for rule, key in NEEDS.items()
            if not getattr(options, key)
        ]
        return [
            Problem(f"rules.{rule}", f"cannot be computed; {remedy}")
            for rule, remedy in lacking
            if rule in self.rules
        ]

    def list_files(self) -> Iterator[tuple[str, Path]]:
        """Yield (key, path) of every file that the recipe names."""
        options = self.rule_options
        named: dict[str, str | None] = {"tokenizer.path": self.tokenizer.path}
        for key in ("unigrams", *URL_LISTS):
            named[f"rule_options.{key}"] = getattr(options, key)
        for language, path in options.bad_words.items():
            named[f"rule_options.bad_words.{language}"] = path
        yield from ((key, Path(path)) for key, path in sorted(named.items()) if path is not None)

    def curate_settings(self) -> CurateSettings:
        """Return what the curate job needs."""
        clean = self.clean.model_dump()
        options = self.rule_options.model_dump()
        return CurateSettings(
            ReadOptions(**self.read.model_dump()),
            EditSettings(**clean | {"pii": tuple(clean["pii"])}),
            RuleSettings(
                **options | {key: tuple(options[key]) for key in ("languages", "families")}
            ),
            {name: Bounds(rule.min, rule.max) for name, rule in self.rules.items()},
            self.dedupe.exact,
        )

    def weigh_settings(self, text_bytes: int) -> WeighSettings:
        """Return what the weigh job needs, for a corpus of so many bytes of text."""
        sidecar = self.weights.sidecar
        return WeighSettings(
            self.split.validation,
            self.weights.policy,
            self.weights.params(),
            text_bytes <= SIDECAR_BYTES if sidecar is None else sidecar,
        )


def _freeze(table: Section) -> dict[str, Any]:
    """Return the values of a table, lists as tuples."""
    values = table.model_dump().items()
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values}


def parse_recipe(fields: Mapping[str, Any], folder: Path | None = None) -> Recipe:
    """Return the recipe of a manifest's fields or, with the folder it lies in, of a TOML file's.

    Raises:
        ValidationError: a key or value is not valid.
    """
    return Recipe.model_validate(fields, context=None if folder is None else {"folder": folder})
