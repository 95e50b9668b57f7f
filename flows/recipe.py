"""Recipes: what a run does to its documents, as TOML, validated with errors that name the key."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipelines.records import ReadOptions
from pipelines.rules import list_rules
from pipelines.rules.bounds import Bounds
from pipelines.settings import CurateSettings, EditSettings, RuleSettings, WeighSettings
from weighting.errors import AssayError
from weighting.policies import PolicyParams, find_policy


class Section(BaseModel):
    """A table of the recipe; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Read(Section):
    """Which fields of a record hold its text and its source."""

    text_field: str = "text"
    source_field: str = "source"


class Clean(Section):
    """What is done to every text before the rules see it."""

    repair: bool = True  # Unicode repair with ftfy


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


class TokenizerTable(Section):
    """Train a byte-level BPE of this size, or load the tokenizer.json at `path`."""

    vocab_size: int = Field(16384, ge=257, le=2**31)
    sample_mb: float = Field(100, gt=0)  # of text to train on
    path: str | None = None


class Split(Section):
    """How documents are divided."""

    validation: float = Field(0.02, ge=0, lt=1)  # share of documents, chosen by their id


class Weights(Section):
    """The policy that weighs tokens and its dials (see weighting.policies)."""

    policy: str = "soft"
    rarity: float = PolicyParams.rarity
    context: float = PolicyParams.context
    cap: float = PolicyParams.cap
    mix: float = PolicyParams.mix
    golden_gain: float = PolicyParams.golden_gain
    sidecar: bool | None = None  # keep every token's signals; by default for corpora up to 200 MB

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

    max_quarantined: float = Field(0.25, ge=0, le=1)  # share of records that could not be read


class Recipe(Section):
    """A whole recipe; every field has its default written out in the manifest."""

    name: str
    description: str = ""
    read: Read = Read()
    clean: Clean = Clean()
    rules: dict[str, Rule] = {}
    dedupe: Dedupe = Dedupe()
    tokenizer: TokenizerTable = TokenizerTable.model_construct()
    split: Split = Split.model_construct()
    weights: Weights = Weights()
    limits: Limits = Limits.model_construct()

    @model_validator(mode="after")
    def _check(self) -> Self:
        unknown = sorted(set(self.rules) - set(list_rules()))
        if unknown:
            valid = ", ".join(list_rules())
            raise ValueError(f"unknown rule {unknown[0]!r} in [rules]; valid: {valid}")
        return self

    def curate_settings(self) -> CurateSettings:
        """Return what the curate job needs."""
        return CurateSettings(
            ReadOptions(self.read.text_field, self.read.source_field),
            EditSettings(repair=self.clean.repair),
            RuleSettings(),
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


SIDECAR_BYTES = 200_000_000
PRESETS = files("flows") / "recipes"


def list_presets() -> list[str]:
    """Return the names of the recipes that come with assay."""
    return sorted(item.name.removesuffix(".toml") for item in PRESETS.iterdir())


def load_recipe(name: str) -> Recipe:
    """Load a preset by name, or a TOML file by path.

    Raises:
        AssayError: no such recipe, not TOML, or a key or value that is not valid.
    """
    if name in list_presets():
        text = (PRESETS / f"{name}.toml").read_text(encoding="utf-8")
    elif Path(name).is_file():
        text = Path(name).read_text(encoding="utf-8")
    else:
        presets = ", ".join(list_presets())
        raise AssayError(f"no recipe {name!r}: neither a file nor one of {presets}")
    try:
        return parse_recipe(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise AssayError(f"recipe {name}: not TOML ({error})") from None
    except ValidationError as error:
        raise AssayError(f"recipe {name}: {describe_error(error)}") from None


def parse_recipe(fields: dict[str, Any]) -> Recipe:
    """Return the recipe of TOML's or a manifest's fields."""
    return Recipe.model_validate(fields)


def describe_error(error: ValidationError) -> str:
    """Return the first error on one line: the key, and what it must be."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = "unknown key"
    return f"{key}: {message}" if key else message
