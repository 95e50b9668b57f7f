"""The tables of a recipe that concern tokens: signals, reference, selection; weights: `weights`."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from flows.recipe.problems import name_choices
from flows.recipe.tables import Section
from pipelines.settings import ScoreSettings
from trainer.config.flat import override
from trainer.config.schema import TrainConfig
from weighting.contracts.halves import HALVES, WHOLE
from weighting.errors import AssayError
from weighting.policies.selection import GOLDEN, RANDOM, Selection
from weighting.signals.ngrams import ORDERS
from weighting.signals.registry import SIGNALS
from weighting.signals.signal import Source
from weighting.storage.urls import LOCAL_ONLY, find_url

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
RICHNESS = (GOLDEN, RANDOM, *SIGNALS)  # by which documents are selected


def _anchor_folder(path: str, info: ValidationInfo) -> str:
    """Return the path of a training run, absolute; relative ones start where the recipe lies."""
    if info.context is None:
        return path
    anchored = Path(info.context["folder"], path).absolute()
    if not (anchored / "checkpoints").is_dir():
        if url := find_url(anchored):
            raise ValueError(f"{url}: {LOCAL_ONLY}")
        raise ValueError(f"no training run there (no checkpoints): {anchored}")
    return str(anchored)


TrainingRun = Annotated[str, AfterValidator(_anchor_folder)]


class SignalTable(Section):
    """What is measured of every token."""

    order: Annotated[int, Field(ge=ORDERS[0], le=ORDERS[-1])] = ScoreSettings.order
    """Longest n-gram that is counted."""
    keep: bool | None = None
    """Keep them, so that tokens can be explained and weighed anew; by default up to 200 MB."""


class ReferenceTable(Section):
    """A model that scores every token, if `model` or `train` is given."""

    model: TrainingRun | None = None
    """Folder of a training run, whose tokenizer is tokenizer.path."""
    train: dict[str, bool | int | float | str] = {}  # noqa: RUF012 - pydantic copies defaults
    """Train one: fields of trainer's config, such as { steps = 2000, depth = 4 }."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Of the tokens it is trained on: those of the documents that fail the fewest bounds."""
    checkpoints: Annotated[int, Field(ge=1, le=32)] = 6
    """Checkpoints of its training that score tokens, the last included; 1: no excess, no change."""
    short: Annotated[int, Field(ge=0)] = 32
    """Tokens of the short context; 0: no context gain."""
    second: TrainingRun | None = None
    """Folder of another training run, for disagreement."""
    halves: bool = False
    """Train two, one on each half of their documents: each scores the other half."""
    other: TrainingRun | None = None
    """Folder of the run that was trained on half b of the documents, where model was on half a."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.model is not None and self.train:
            raise ValueError("give model or train, not both")
        if self.second is not None and not self.wanted:
            raise ValueError("second is compared with a reference: give model or train as well")
        if self.halves and not self.train:
            raise ValueError("halves = true trains two references: give train; or model and other")
        if self.other is not None and self.model is None:
            raise ValueError("other scores what model was trained on: give model as well")
        config = self.config()
        if self.train and 4 * self.short > config.model.context:
            raise ValueError(f"short is {self.short}, at most a quarter of train.context")
        if self.train and -(-config.steps // config.save_every) < self.checkpoints:
            raise ValueError("train.save_every leaves fewer checkpoints than asked for")
        return self

    @property
    def wanted(self) -> bool:
        """Whether there is a reference."""
        return self.model is not None or bool(self.train)

    def config(self) -> TrainConfig:
        """Return how the reference is trained, except where it reads."""
        fixed = [name for name in FIXED if name in self.train]
        if fixed:
            raise ValueError(f"train.{fixed[0]}: set by the run, leave it out")
        steps = self.train.get("steps", TrainConfig.steps)
        try:
            every = max(1, int(steps) // self.checkpoints)
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
            Source.CHECKPOINTS: self.wanted and self.checkpoints > 1,
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
