"""The tables of a recipe that concern tokens: signals, reference, selection; weights: `weights`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    model_validator,
)

from flows.recipe.problems import name_choices
from flows.recipe.tables import Section
from pipelines.settings import ScoreSettings
from trainer.config.flat import override
from trainer.config.schema import TrainConfig
from weighting.contracts.splits import HALVES, WHOLE
from weighting.errors import AssayError
from weighting.policies.selection import GOLDEN, RANDOM, Selection
from weighting.signals.model_names import ModelKind, parse_model
from weighting.signals.model_settings import ModelSettings
from weighting.signals.ngrams import ORDERS
from weighting.signals.registry import SIGNALS
from weighting.signals.signal import Source

FIXED = (
    "shards",
    "tokenizer",
    "objective",
    "reference",
    "init",
    "keep",
    "half",
)  # of a reference's training
KEPT = 1000  # checkpoints: all of them
CHECKPOINTS = 6  # of a training run that score tokens, by default
MOST_CHECKPOINTS = 32
RICHNESS = (GOLDEN, RANDOM, *SIGNALS)  # by which documents are selected


def _anchor_model(name: str, info: ValidationInfo) -> str:
    """Return a model's name with its path absolute; relative ones start where the recipe lies."""
    if info.context is None:
        return name
    try:
        return str(parse_model(name, Path(info.context["folder"]).absolute()))
    except AssayError as error:
        raise ValueError(str(error)) from None


def _read_checkpoints(value: object) -> object:
    """Refuse what is neither a number of checkpoints nor an array of names of models."""
    match value:
        case bool():
            pass
        case int() if value < 1 or value > MOST_CHECKPOINTS:
            bound = "greater than or equal to 1" if value < 1 else f"at most {MOST_CHECKPOINTS}"
            raise ValueError(f"must be {bound}, is {value}")
        case int() | None:
            return value
        case [*names] if names and all(isinstance(name, str) for name in names):
            return value
    raise ValueError("must be a whole number, or an array of names of models")


def _settle_checkpoints(value: int | list[str] | None, info: ValidationInfo) -> int | list[str]:
    """Return the models that are compared: of a run, a number of its checkpoints by default."""
    model = info.data.get("model")
    if isinstance(value, list):
        anchored = [_anchor_model(name, info) for name in value]
        if model in anchored:
            raise ValueError(f"{model} is the reference itself; name weaker models only")
        return anchored
    if value is not None and (value == 1 or info.context is None):
        return value
    if model is None or not parse_model(model).pretrained:
        return CHECKPOINTS if value is None else value
    if value is None:
        return 1
    raise ValueError(
        f"is {value}, and {model} is no training run that has checkpoints; name models in their "
        'place, the weakest first, as in checkpoints = ["owner/name@revision"]'
    )


ModelRef = Annotated[str, AfterValidator(_anchor_model)]
Checkpoints = Annotated[
    int | list[str] | None,
    Field(validate_default=True),
    BeforeValidator(_read_checkpoints),
    AfterValidator(_settle_checkpoints),
]


class SignalTable(Section):
    """What is measured of every token."""

    order: Annotated[int, Field(ge=ORDERS[0], le=ORDERS[-1])] = ScoreSettings.order
    """Longest n-gram that is counted."""
    keep: bool | None = None
    """Keep them, so that tokens can be explained and weighed anew; by default up to 200 MB."""


class ReferenceTable(Section):
    """A model that scores every token, if `model` or `train` is given."""

    model: ModelRef | None = None
    """A training run, a folder of transformers, a GGUF file, or owner/name@revision of the hub."""
    train: dict[str, bool | int | float | str] = {}  # noqa: RUF012 - pydantic copies defaults
    """Train one: fields of trainer's config, such as { steps = 2000, depth = 4 }."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Of the tokens it is trained on: those of the documents that fail the fewest bounds."""
    checkpoints: Checkpoints = None
    """How many of its training score, the last included; or weaker models, the weakest first."""
    short: Annotated[int, Field(ge=0)] = 32
    """Tokens of the short context; 0: no context gain."""
    second: ModelRef | None = None
    """Another model of the same tokenizer, for disagreement."""
    context: Annotated[int, Field(ge=2)] = ModelSettings.context
    """Most tokens that a model sees at once; fewer where it was made for fewer."""
    halves: bool = False
    """Train two, one on each half of their documents: each scores the other half."""
    other: ModelRef | None = None
    """The model that was trained on half b of the documents, where model was on half a."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.model is not None and self.train:
            raise ValueError("give model or train, not both")
        if self.second is not None and not self.wanted:
            raise ValueError("second is compared with a reference: give model or train as well")
        if self.earlier and not self.wanted:
            raise ValueError("checkpoints are compared with a reference: give model or train")
        if self.halves and not self.train:
            raise ValueError("halves = true trains two references: give train; or model and other")
        if self.other is not None and self.model is None:
            raise ValueError("other scores what model was trained on: give model as well")
        config = self.config()
        if self.train and 4 * self.short > config.model.context:
            raise ValueError(f"short is {self.short}, at most a quarter of train.context")
        if self.train and -(-config.steps // config.save_every) < self.spread:
            raise ValueError("train.save_every leaves fewer checkpoints than asked for")
        return self

    @property
    def wanted(self) -> bool:
        """Whether there is a reference."""
        return self.model is not None or bool(self.train)

    @property
    def spread(self) -> int:
        """How many checkpoints of the reference's training score tokens."""
        return self.checkpoints if isinstance(self.checkpoints, int) else 1

    @property
    def earlier(self) -> tuple[str, ...]:
        """Names of the models that the reference is compared with in place of checkpoints."""
        return tuple(self.checkpoints) if isinstance(self.checkpoints, list) else ()

    def list_named(self) -> Iterator[tuple[str, str]]:
        """Yield the key and the name of every model that the table names."""
        for key in ("model", "other", "second"):
            if (name := getattr(self, key)) is not None:
                yield key, name
        yield from ((f"checkpoints.{number}", name) for number, name in enumerate(self.earlier))

    def find_kinds(self) -> frozenset[ModelKind]:
        """Return the kinds of the models that score tokens; none without a reference.

        Raises:
            AssayError: a model is gone.
        """
        trained = [ModelKind.RUN] if self.train else []
        return frozenset([*trained, *(parse_model(name).kind for _, name in self.list_named())])

    def settings(self, trained: Path) -> ModelSettings | None:
        """Return which models score; `trained` is the folder of those that a run trains itself."""
        if not self.wanted:
            return None
        ours = [str(path) for path in self.locate_trained(trained).values()]
        models = [name for name in (self.model, self.other) if name] or ours
        return ModelSettings(
            reference=models[0],
            other=models[1] if models[1:] else None,
            checkpoints=self.spread,
            earlier=self.earlier,
            short=self.short,
            second=self.second,
            context=self.context,
        )

    def config(self) -> TrainConfig:
        """Return how the reference is trained, except where it reads."""
        fixed = [name for name in FIXED if name in self.train]
        if fixed:
            raise ValueError(f"train.{fixed[0]}: set by the run, leave it out")
        steps = self.train.get("steps", TrainConfig.steps)
        try:
            every = max(1, int(steps) // self.spread)
            given = {"save_every": every, "warmup": int(steps) // 10, **self.train}
            return override(TrainConfig(), {**given, "keep": KEPT})
        except AssayError as error:
            raise ValueError(f"train: {error}") from None

    def locate_trained(self, folder: Path) -> dict[str, Path]:
        """Return the folders, in `folder`, of the models that the run trains, by their halves."""
        if self.halves:
            return {half: folder / f"half-{half}" for half in HALVES}
        return {WHOLE: folder / "model"}

    def list_sources(self) -> list[Source]:
        """Return what of a reference gives signals."""
        given = {
            Source.REFERENCE: self.wanted,
            Source.CHECKPOINTS: self.wanted and (self.spread > 1 or bool(self.earlier)),
            Source.SHORT: self.wanted and self.short > 0,
            Source.SECOND: self.wanted and self.second is not None,
        }
        return [source for source, there in given.items() if there]


class SelectionTable(Section):
    """Which documents of the train split are trained on; by default all."""

    by: str | None = None
    """golden (share of golden tokens), random (the control), or a signal, whose mean counts."""
    tokens: Annotated[int, Field(ge=1)] | None = None
    """Budget: documents are taken, the richest first, as long as they fit."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Orders documents that are equally rich."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.by is None) != (self.tokens is None):
            raise ValueError("by and tokens go together")
        if self.by is not None and self.by not in RICHNESS:
            raise ValueError(name_choices(f"by {self.by!r}", RICHNESS, self.by))
        return self

    def settings(self) -> Selection | None:
        """Return what the weigh job needs."""
        if self.by is None or self.tokens is None:
            return None
        return Selection(self.by, self.tokens, self.seed)
