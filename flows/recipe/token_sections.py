"""The tables of a recipe that concern tokens: signals, reference, weights, selection."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from flows.recipe.document_sections import Section
from flows.recipe.problems import name_choices
from pipelines.settings import ScoreSettings
from trainer.config.flat import override
from trainer.config.schema import TrainConfig
from weighting.errors import AssayError
from weighting.policies.registry import PolicyParams, check_policy
from weighting.policies.selection import GOLDEN, RANDOM, Selection
from weighting.signals.ngrams import ORDERS
from weighting.signals.registry import SIGNALS

FIXED = ("shards", "tokenizer", "objective", "reference", "keep")  # of a reference's training
KEPT = 1000  # checkpoints: all of them
RICHNESS = (GOLDEN, RANDOM, *SIGNALS)  # by which documents are selected


def _anchor_folder(path: str, info: ValidationInfo) -> str:
    """Return the path of a training run, absolute; relative ones start where the recipe lies."""
    if info.context is None:
        return path
    anchored = Path(info.context["folder"], path).absolute()
    if not (anchored / "checkpoints").is_dir():
        raise ValueError(f"no training run there (no checkpoints): {anchored}")
    return str(anchored)


RunFolder = Annotated[str, AfterValidator(_anchor_folder)]


class SignalTable(Section):
    """What is measured of every token."""

    order: Annotated[int, Field(ge=ORDERS[0], le=ORDERS[-1])] = ScoreSettings.order
    """Longest n-gram that is counted."""
    keep: bool | None = None
    """Keep them, so that tokens can be explained and weighed anew; by default up to 200 MB."""


class ReferenceTable(Section):
    """A model that scores every token, if `model` or `train` is given."""

    model: RunFolder | None = None
    """Folder of a training run, whose tokenizer is tokenizer.path."""
    train: dict[str, bool | int | float | str] = {}  # noqa: RUF012 - pydantic copies defaults
    """Train one: fields of trainer's config, such as { steps = 2000, depth = 4 }."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Of the tokens it is trained on: those of the documents that fail the fewest bounds."""
    checkpoints: Annotated[int, Field(ge=1, le=32)] = 6
    """Checkpoints of its training that score tokens, the last included; 1: no excess, no change."""
    short: Annotated[int, Field(ge=0)] = 32
    """Tokens of the short context; 0: no context gain."""
    second: RunFolder | None = None
    """Folder of another training run, for disagreement."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.model is not None and self.train:
            raise ValueError("give model or train, not both")
        if self.second is not None and not self.wanted:
            raise ValueError("second is compared with a reference: give model or train as well")
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

    def list_signals(self) -> list[str]:
        """Return the names of the stored signals that it gives."""
        names = {
            "nll": self.wanted,
            "entropy": self.wanted,
            "excess": self.wanted and self.checkpoints > 1,
            "change": self.wanted and self.checkpoints > 1,
            "context_gain": self.wanted and self.short > 0,
            "disagreement": self.wanted and self.second is not None,
        }
        return [name for name, given in names.items() if given]


class Weights(Section):
    """The policy that weighs tokens, and its dials."""

    policy: str = "soft"
    """How tokens are weighed; docs/weighting.md has all policies."""
    dials: dict[str, float] = dict(PolicyParams().dials)  # noqa: RUF012 - pydantic copies it
    """soft: the exponent of each signal."""
    cap: float = PolicyParams.cap
    """soft: weights lie within [1/cap, cap] of a neutral token's; pdl: below cap times the mean."""
    alpha: float = PolicyParams.alpha
    """pdl: weights are frequency^-alpha."""
    threshold: float = PolicyParams.threshold
    """subsample: the frequency up to which a type weighs fully."""
    longce_cap: float = PolicyParams.longce_cap
    """long_ce: highest weight."""
    shift: float = PolicyParams.shift
    """ppmi, npmi: the ratio of probabilities from which tokens weigh anything."""
    key_gain: float = PolicyParams.key_gain
    """Key tokens: the context gain they exceed, in nats."""
    key_nll: float = PolicyParams.key_nll
    """Key tokens: the loss they stay below, in nats."""
    signal: str = PolicyParams.signal
    """top_k: the signal that is ranked, highest first."""
    share: float = PolicyParams.share
    """top_k, intersection, random: share of the tokens."""
    of: str = PolicyParams.of
    """shuffled: the policy whose weights are permuted."""
    seed: int = PolicyParams.seed
    """random, shuffled: of the hash."""
    mix: float | None = PolicyParams.mix
    """Share of the uniform weight in the final one; by default the policy's own."""
    least_effective: float = PolicyParams.least_effective
    """Floor of the effective sample size, as a share: mix is raised until it is reached."""
    duplicate: float = PolicyParams.duplicate
    """A passage that c documents hold weighs c^-duplicate of what it would."""
    contaminated: float = PolicyParams.contaminated
    """Factor on tokens of evaluation items."""
    golden: str | None = PolicyParams.golden
    """Rule of the golden flag: key, learnt or ngram; by default the first that signals allow."""
    golden_gain: float = PolicyParams.golden_gain
    """learnt, ngram: the least excess or n-gram gain, in nats."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        try:
            check_policy(self.policy, self.params(), None)
        except AssayError as error:
            raise ValueError(str(error)) from None
        return self

    def params(self) -> PolicyParams:
        """Return the dials as the policies take them."""
        names = PolicyParams.__dataclass_fields__
        return PolicyParams(**{name: getattr(self, name) for name in names})


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
