"""The schema of recipes: what a run does to its documents, table by table."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import model_validator

from flows.recipe.document_sections import (
    URL_LISTS,
    Clean,
    Decontaminate,
    Dedupe,
    Limits,
    Passages,
    Read,
    Rule,
    RuleName,
    RuleOptions,
    Section,
    Split,
    TokenizerTable,
)
from flows.recipe.problems import Problem
from flows.recipe.token_sections import ReferenceTable, SelectionTable, SignalTable, Weights
from pipelines.readers.records import ReadOptions
from pipelines.rules.bounds import Bounds
from pipelines.rules.families.contamination import NAME as CONTAMINATION
from pipelines.rules.registry import FAMILIES
from pipelines.settings import (
    CurateSettings,
    EditSettings,
    RuleSettings,
    ScoreSettings,
    WeighSettings,
)
from trainer.run.checkpoint import list_kept
from weighting.errors import AssayError
from weighting.policies.golden import choose_golden
from weighting.policies.registry import check_policy
from weighting.policies.selection import check_selection
from weighting.signals.model_settings import ModelSettings
from weighting.signals.registry import list_known

SIDECAR_BYTES = 200_000_000
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


class Recipe(Section):
    """A whole recipe; every field has its default written out in the manifest."""

    name: str
    description: str = ""
    read: Read = Read()
    clean: Clean = Clean()
    rule_options: RuleOptions = RuleOptions()
    rules: dict[RuleName, Rule] = {}  # noqa: RUF012 - pydantic copies defaults
    dedupe: Dedupe = Dedupe()
    passages: Passages = Passages()
    decontaminate: Decontaminate = Decontaminate()
    tokenizer: TokenizerTable = TokenizerTable()
    split: Split = Split()
    signals: SignalTable = SignalTable()
    reference: ReferenceTable = ReferenceTable()
    weights: Weights = Weights()
    selection: SelectionTable = SelectionTable()
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _check(self) -> Self:
        """Refuse what cannot be weighed: signals that nothing gives, a reference not watched."""
        if self.reference.train and not self.split.validation:
            raise ValueError("reference.train needs documents to watch it: raise split.validation")
        stored = ["ngram_gain", *self.reference.list_signals()]
        try:
            check_policy(self.weights.policy, self.weights.params(), list_known(stored))
            choose_golden(self.weights.golden, stored)
            if (selection := self.selection.settings()) is not None:
                check_selection(selection, list_known(stored))
        except AssayError as error:
            raise ValueError(str(error)) from None
        return self

    def find_missing(self) -> list[Problem]:
        """Return a problem for every rule that something depends on and that has no value."""
        named = {f"rules.{rule}": rule for rule in self.rules}
        if self.dedupe.quality is not None:
            named["dedupe.quality"] = self.dedupe.quality
        return [
            Problem(key, f"cannot be computed; {remedy}")
            for lacking, remedy in self._list_lacking()
            for key, rule in named.items()
            if rule == lacking
        ]

    def _list_lacking(self) -> Iterator[tuple[str, str]]:
        """Yield every rule that has no value with this recipe, and what would give it one."""
        options = self.rule_options
        wanted = options.families or FAMILIES
        for name, family in FAMILIES.items():
            if name not in wanted:
                for rule in family.rules:
                    yield rule, f"add {name!r} to rule_options.families"
        for rule, key in NEEDS.items():
            if not getattr(options, key):
                yield rule, f"set rule_options.{key}"
        if not self.decontaminate.sets:
            yield CONTAMINATION, "give decontaminate.sets"

    def list_files(self) -> Iterator[tuple[str, Path]]:
        """Yield (key, path) of every file that the recipe names."""
        options = self.rule_options
        named: dict[str, str | None] = {"tokenizer.path": self.tokenizer.path}
        for key in ("unigrams", *URL_LISTS):
            named[f"rule_options.{key}"] = getattr(options, key)
        for language, path in options.bad_words.items():
            named[f"rule_options.bad_words.{language}"] = path
        for table in self.decontaminate.sets:
            named[f"decontaminate.{table.name}"] = table.path
        for key in ("model", "second"):
            if folder := getattr(self.reference, key):
                for checkpoint in list_kept(Path(folder)):
                    path = str(checkpoint / "model.safetensors")
                    named[f"reference.{key}.{checkpoint.name}"] = path
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
            self.dedupe.settings(self.passages.settings()),
            self.decontaminate.settings(),
        )

    def score_settings(self, text_bytes: int, trained: Path) -> ScoreSettings:
        """Return what the count and score jobs need, for a corpus of so many bytes of text.

        `trained` is the folder of the reference where the run trains it itself.
        """
        keep, table = self.signals.keep, self.reference
        model = ModelSettings(
            table.model or str(trained), table.checkpoints, table.short, table.second
        )
        return ScoreSettings(
            self.split.validation,
            self.signals.order,
            model if table.wanted else None,
            text_bytes <= SIDECAR_BYTES if keep is None else keep,
        )

    def weigh_settings(self) -> WeighSettings:
        """Return what the weigh job needs."""
        return WeighSettings(self.weights.policy, self.weights.params(), self.selection.settings())


def parse_recipe(fields: Mapping[str, Any], folder: Path | None = None) -> Recipe:
    """Return the recipe of a manifest's fields or, with the folder it lies in, of a TOML file's.

    Raises:
        ValidationError: a key or value is not valid.
    """
    return Recipe.model_validate(fields, context=None if folder is None else {"folder": folder})
