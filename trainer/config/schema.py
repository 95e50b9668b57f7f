"""What a run is: frozen dataclasses whose every field is a command-line flag and a JSON key."""

import math
from dataclasses import dataclass, field, fields
from typing import Any

from weighting.errors import AssayError

OBJECTIVE_NAMES = (
    *("plain", "weighted", "face", "focal", "mile"),
    *("running", "selective", "cvar", "falpha", "longce"),
)


def option(default: Any, text: str, choices: tuple[str, ...] = ()) -> Any:  # noqa: ANN401
    """Return a dataclass field with a default, its help text and its valid values."""
    return field(default=default, metadata={"help": text, "choices": choices})


@dataclass(frozen=True)
class ModelConfig:
    """The shape of a model. Its vocabulary is that of the shards, unless `vocab` is larger."""

    architecture: str = option("gpt", "kind of block", ("gpt", "lstm", "mamba2"))
    layers: int = option(4, "blocks")
    width: int = option(128, "size of the residual stream")
    heads: int = option(4, "heads of gpt (width / heads is even) and of mamba2")
    context: int = option(128, "tokens that a window holds and a model sees")
    positions: str = option("rope", "how gpt knows positions", ("rope", "alibi"))
    mask_documents: bool = option(False, "gpt: attention stays within a document")
    state: int = option(64, "mamba2: size of a head's state")
    vocab: int = option(0, "rows of embedding and head; 0 is one a type of the shards")

    def __post_init__(self) -> None:
        """Raise AssayError where the fields do not fit together."""
        _check_least(self, 1, "layers", "width", "heads", "context", "state")
        _check_least(self, 0, "vocab")
        _check_choices(self)
        if self.architecture == "gpt":
            _require(
                self.width % (2 * self.heads) == 0,
                f"width {self.width} does not split into {self.heads} heads of even size",
            )
        else:
            _require(not self.mask_documents, f"{self.architecture} cannot mask documents; gpt can")
        _require(
            self.architecture != "mamba2" or 2 * self.width % self.heads == 0,
            f"2 x width {self.width} does not split into {self.heads} heads",
        )


@dataclass(frozen=True)
class ObjectiveConfig:
    """What is minimised, and the one dial of each objective that has one."""

    objective: str = option("plain", "loss of a batch", OBJECTIVE_NAMES)
    focal_gamma: float = option(1.0, "focal: power of 1 - p")
    mile_gamma: float = option(1.0, "mile: power of 1 + entropy")
    running_decay: float = option(0.99, "running: what a type's mean loss keeps at an update")
    running_blend: float = option(1.0, "running: share of the weights; the rest is uniform")
    select_share: float = option(0.6, "selective: share of the targets that are trained on")
    reference: str = option("", "selective: folder of the run that is the frozen reference")
    cvar_share: float = option(0.9, "cvar: share of the targets, those of the highest loss")
    falpha_alpha: float = option(0.5, "falpha: 0 is the log loss, 1 the probability itself")
    longce_context: int = option(32, "longce: tokens that the short context has at least")
    longce_cap: float = option(5.0, "longce: largest weight")

    def __post_init__(self) -> None:
        """Raise AssayError where a field is out of its range."""
        _check_choices(self)
        _check_least(self, 0, "focal_gamma", "mile_gamma", "falpha_alpha")
        _check_least(self, 1, "longce_context", "longce_cap")
        for name in ("select_share", "cvar_share"):
            value = getattr(self, name)
            _require(0 < value <= 1, f"{name} is {value}, must be > 0 and ≤ 1")
        for name in ("running_decay", "running_blend"):
            value = getattr(self, name)
            _require(0 <= value <= 1, f"{name} is {value}, must be from 0 to 1")
        _require(
            (self.objective == "selective") == bool(self.reference),
            "reference and objective 'selective' go together: the run whose loss is subtracted",
        )


@dataclass(frozen=True)
class TrainConfig:
    """One training run, whole: with the same data it gives the same bytes."""

    shards: str = option("", "folder of token shards (RUN/shards)")
    tokenizer: str = option("", "tokenizer.json, for bits per byte (default: beside the shards)")
    steps: int = option(1000, "optimizer updates")
    batch: int = option(8, "windows that an update sees, over all processes")
    micro: int = option(0, "windows that a process computes at once; 0 is all of its own")
    packing: str = option("stream", "how windows are cut", ("stream", "best-fit"))
    seed: int = option(0, "of the initial parameters and of the order of the windows")
    optimizer: str = option("adamw", "muon takes the matrices of the blocks", ("adamw", "muon"))
    lr: float = option(4e-3, "highest learning rate")
    schedule: str = option(
        "cosine", "course of the rate after warm-up", ("cosine", "linear", "trapezoid", "constant")
    )
    lr_floor: float = option(0.0, "share of the highest rate that is left at the end")
    warmup: int = option(50, "steps of linear warm-up")
    beta2: float = option(0.95, "AdamW: decay of the squared gradient's mean")
    weight_decay: float = option(0.1, "decoupled decay of the matrices")
    clip: float = option(1.0, "largest norm of the gradient")
    eval_every: int = option(100, "steps between evaluations")
    eval_tokens: int = option(0, "validation tokens to evaluate, spread evenly; 0 is all of them")
    log_every: int = option(10, "steps between rows of metrics.jsonl")
    save_every: int = option(250, "steps between checkpoints")
    keep: int = option(2, "newest checkpoints to keep")
    tensorboard: bool = option(False, "write OUT/tensorboard as well")
    device: str = option("auto", "auto is cuda where there is one", ("auto", "cpu", "cuda"))
    ranks: int = option(0, "processes; 0 is as many as torchrun started")
    threads: int = option(0, "CPU threads a process; 0 is one a core")
    precision: str = option(
        "auto",
        "of the matrix products; auto is bfloat16 on cuda, float32 on a CPU",
        ("auto", "float32", "bfloat16"),
    )
    compile: str = option(
        "auto", "run through torch.compile; auto is on cuda only", ("auto", "on", "off")
    )
    ce_chunk: int = option(0, "targets whose logits exist at once; 0 is all")
    deterministic: bool = option(False, "bit-exact kernels on cuda too, at some cost")
    allow_uniform_weights: bool = option(
        False, "let a weighted objective run on weights that are all equal"
    )
    objectives: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    model: ModelConfig = field(default_factory=ModelConfig)

    def __post_init__(self) -> None:
        """Raise AssayError where a field, or two together, make no run."""
        _check_least(self, 1, "steps", "batch", "eval_every", "log_every", "save_every", "keep")
        _check_least(self, 0, "seed", "threads", "ranks", "micro", "ce_chunk", "eval_tokens")
        _check_least(self, 0, "weight_decay")
        _check_choices(self)
        for name in ("lr", "clip"):
            value = getattr(self, name)
            _require(0 < value < math.inf, f"{name} is {value}, must be > 0 and finite")
        _require(0 <= self.lr_floor <= 1, f"lr_floor is {self.lr_floor}, must be from 0 to 1")
        _require(0 < self.beta2 < 1, f"beta2 is {self.beta2}, must be > 0 and < 1")
        _require(
            0 <= self.warmup < self.steps,
            f"warmup is {self.warmup}, must be ≥ 0 and less than steps ({self.steps})",
        )
        _require(
            self.batch % max(self.ranks, 1) == 0,
            f"batch {self.batch} does not split over {self.ranks} processes",
        )


def _check_least(config: object, least: float, *names: str) -> None:
    for name in names:
        value = getattr(config, name)
        _require(value >= least, f"{name} is {value}, must be ≥ {least}")


def _check_choices(config: Any) -> None:  # noqa: ANN401 - any of the dataclasses above
    for item in fields(config):
        valid, value = item.metadata.get("choices"), getattr(config, item.name)
        _require(
            not valid or value in valid,
            f"{item.name} is {value!r}, must be one of {', '.join(valid or ())}",
        )


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise AssayError(message)
