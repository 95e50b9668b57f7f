"""The schema of recipes: what a run does to its documents, table by table."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from flows.recipe.document_sections import (
    Dedupe,
    Limits,
    Passages,
    RuleBounds,
    Split,
    TokenizerTable,
    check_decontaminate,
    check_read,
    check_tokenizer,
)
from flows.recipe.language_bounds import list_language_bounds
from flows.recipe.problems import Problem
from flows.recipe.tables import FromKnobs, Section, check_name, list_keys_of
from flows.recipe.token_sections import ReferenceTable, SelectionTable, SignalTable
from flows.recipe.weights import WeightsTable, default_weights
from pipelines.readers.records import ReadOptions
from pipelines.rules.bounds import Bounds
from pipelines.rules.families.contamination import NAME as CONTAMINATION
from pipelines.rules.registry import FAMILIES, RULES
from pipelines.settings import (
    ContaminationSettings,
    CurateSettings,
    EditSettings,
    RuleSettings,
    ScoreSettings,
    WeighSettings,
)
from weighting.errors import AssayError
from weighting.knobs import Names
from weighting.policies.golden import choose_golden
from weighting.policies.registry import check_policy
from weighting.policies.selection import check_selection
from weighting.signals.model_names import parse_model
from weighting.signals.registry import ALWAYS, list_given, list_known

SIDECAR_BYTES = 200_000_000
KNOBS = FromKnobs()
RuleTable = dict[Annotated[str, check_name(Names("rule"))], RuleBounds]


class Recipe(Section):
    """A whole recipe; every field has its default written out in the manifest."""

    name: str
    description: str = ""
    read: Annotated[ReadOptions, FromKnobs(check_read)] = ReadOptions()
    clean: Annotated[EditSettings, KNOBS] = EditSettings()
    rule_options: Annotated[RuleSettings, KNOBS] = RuleSettings()
    rules: RuleTable = Field(default_factory=dict)
    languages: dict[Annotated[str, check_name(Names("language"))], RuleTable] = Field(
        default_factory=dict
    )
    dedupe: Annotated[Dedupe, KNOBS] = Dedupe()
    passages: Annotated[Passages, KNOBS] = Passages()
    decontaminate: Annotated[ContaminationSettings, FromKnobs(check_decontaminate)] = (
        ContaminationSettings()
    )
    tokenizer: Annotated[TokenizerTable, FromKnobs(check_tokenizer)] = TokenizerTable()
    split: Annotated[Split, KNOBS] = Split()
    signals: SignalTable = SignalTable()
    reference: ReferenceTable = ReferenceTable()
    weights: WeightsTable = Field(default_factory=default_weights)
    selection: SelectionTable = SelectionTable()
    limits: Annotated[Limits, KNOBS] = Limits()

    @model_validator(mode="after")
    def _check(self) -> Self:
        """Refuse what cannot be weighed: signals that nothing gives, a reference not watched."""
        if self.reference.train and not self.split.validation:
            raise ValueError("reference.train needs documents to watch it: raise split.validation")
        stored = list_given([*ALWAYS, *self.reference.list_sources()])
        try:
            params = self.weights.params()
            check_policy(self.weights.policy, params, list_known(stored))
            choose_golden(params.golden, stored)
            if (selection := self.selection.settings()) is not None:
                check_selection(selection, list_known(stored))
        except AssayError as error:
            raise ValueError(str(error)) from None
        return self

    def find_missing(self) -> list[Problem]:
        """Return a problem for every rule that something depends on and that has no value."""
        named = {f"rules.{rule}": rule for rule in self.rules}
        for language, table in self.languages.items():
            named |= {f"languages.{language}.{rule}": rule for rule in table}
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
        for rule, record in RULES.items():
            if record.needs and not getattr(options, record.needs):
                yield rule, f"set rule_options.{record.needs}"
        if not self.decontaminate.sets:
            yield CONTAMINATION, "give decontaminate.sets"

    def list_files(self) -> Iterator[tuple[str, Path]]:
        """Yield (key, path) of every file that the recipe names."""
        named = self.tokenizer.list_files()
        for key in list_keys_of(Names("file"), RuleSettings):
            value = getattr(self.rule_options, key)
            if isinstance(value, Mapping):
                named |= {f"rule_options.{key}.{part}": path for part, path in value.items()}
            else:
                named[f"rule_options.{key}"] = value
        for table in self.decontaminate.sets:
            named[f"decontaminate.{table.name}"] = table.path
        yield from ((key, Path(path)) for key, path in sorted(named.items()) if path is not None)
        for key, name in self.reference.list_named():
            from trainer.scoring.model_files import list_parts  # for runs with models

            for part, path in list_parts(parse_model(name)):
                yield f"reference.{key}{part}", path

    def curate_settings(self) -> CurateSettings:
        """Return what the curate job needs."""
        return CurateSettings(
            read=self.read,
            edit=self.clean,
            rules=self.rule_options,
            bounds={name: Bounds(rule.min, rule.max) for name, rule in self.rules.items()},
            language_bounds=list_language_bounds(self.model_dump()),
            dedupe=self.dedupe.settings(self.passages.settings()),
            contamination=self.contamination_settings(),
        )

    def contamination_settings(self) -> ContaminationSettings | None:
        """Return how evaluation items are looked for; None if the recipe names no set."""
        return self.decontaminate if self.decontaminate.sets else None

    def score_settings(self, text_bytes: int, trained: Path) -> ScoreSettings:
        """Return what the count and score jobs need, for a corpus of so many bytes of text.

        `trained` is the folder of the references that the run trains itself.
        """
        keep = self.signals.keep
        return ScoreSettings(
            validation_share=self.split.validation,
            order=self.signals.order,
            model=self.reference.settings(trained),
            keep=text_bytes <= SIDECAR_BYTES if keep is None else keep,
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
