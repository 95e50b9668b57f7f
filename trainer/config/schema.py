"""What a run is: frozen dataclasses whose every knob is a command-line flag and a JSON key.

`ResolvedConfig` is the one that a run is made from: no field of it is left to the machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from trainer.objectives.registry import (
    Objective,
    find_objective,
    list_knob_classes,
    load_objectives,
)
from weighting.contracts.splits import HALVES, WHOLE
from weighting.errors import AssayError
from weighting.knobs import NOTHING, PLACE, check_knobs, knob, list_knobs
from weighting.storage.local_folder import read_folder

Knobs = TypeVar("Knobs")

AUTO = -1  # of a number of which 0 means none
LONGEST_WARMUP = 50  # steps, of a warm-up that follows the steps
# The rate of each optimizer where none is given: best of a few for the default shape, on a CPU.
OPTIMIZERS: Mapping[str, float] = {"muon": 1e-2, "adamw": 4e-3}
LARGEST_SEED = 2**63  # torch's generators take twice as much
LARGEST = 2**31 - 1  # of all other numbers: nothing that a machine has is more


@dataclass(frozen=True)
class ModelConfig:
    """The shape of a model. Its vocabulary is that of the shards, unless `vocab` is larger."""

    architecture: str = knob("gpt", "kind of block", choices=("gpt", "lstm", "mamba2"))
    layers: int = knob(4, "blocks", least=1)
    width: int = knob(128, "size of the residual stream", least=1)
    heads: int = knob(4, "heads of gpt (width / heads is even) and of mamba2", least=1)
    context: int = knob(128, "tokens that a window holds and a model sees", least=1)
    positions: str = knob("rope", "how gpt knows positions", choices=("rope", "alibi"))
    mask_documents: bool = knob(False, "gpt: attention stays within a document")
    state: int = knob(64, "mamba2: size of a head's state", least=1)
    vocab: int = knob(0, "rows of embedding and head; 0 is one a type of the shards", least=0)

    def __post_init__(self) -> None:
        """Raise AssayError where a field is out of its range, or fields do not fit together."""
        _check(self)
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


def default_knobs() -> tuple[object, ...]:
    """Return the knobs of every objective that has some, with their defaults."""
    return tuple(kind() for kind in list_knob_classes())


@dataclass(frozen=True)
class ObjectiveConfig:
    """What is minimised, how what objectives read is computed, and the knobs of each objective."""

    objective: str = knob("plain", "loss of a batch, see below")
    reference: str = knob(
        "", "selective: folder of the run that is the frozen reference", effect=PLACE
    )
    running_decay: float = knob(
        0.99, "running: what a type's mean loss keeps at an update", least=0, most=1
    )
    longce_context: int = knob(32, "longce: tokens that the short context has at least", least=1)
    knobs: tuple[object, ...] = field(default_factory=default_knobs)

    def __post_init__(self) -> None:
        """Make its place absolute; raise AssayError where a field is out of its range."""
        for one in (self, *self.knobs):
            _check(one)
        wanted = "reference" in self.chosen.reads
        readers = [name for name, one in load_objectives().items() if "reference" in one.reads]
        _require(
            wanted == bool(self.reference),
            f"reference and objective {' or '.join(map(repr, readers))} go together: the run whose "
            "loss is subtracted",
        )

    @property
    def chosen(self) -> Objective:
        """The record of the objective."""
        return find_objective(self.objective)

    def of(self, kind: type[Knobs]) -> Knobs:
        """Return an objective's knobs by their class.

        Raises:
            KeyError: no objective has such knobs.
        """
        for one in self.knobs:
            if isinstance(one, kind):
                return one
        raise KeyError(kind)


@dataclass(frozen=True)
class TrainConfig:
    """One training run, whole: with the same data it gives the same bytes.

    Places are absolute: a relative one starts in the folder where the config is made.
    """

    shards: str = knob("", "folder of token shards (RUN/shards)", effect=PLACE)
    tokenizer: str = knob(
        "", "tokenizer.json, for bits per byte (default: beside the shards)", effect=PLACE
    )
    init: str = knob(
        "", "run, or checkpoint of one, whose parameters this one begins from", effect=PLACE
    )
    half: str = knob(
        WHOLE,
        "training documents that are seen: all, or one half of them, told by their ids; the model "
        "of one half scores the other's",
        choices=(WHOLE, *HALVES),
    )
    steps: int = knob(1000, "optimizer updates", least=1)
    batch: int = knob(8, "windows that an update sees, over all processes", least=1)
    micro: int = knob(0, "windows that a process computes at once; 0 is all of its own", least=0)
    packing: str = knob("stream", "how windows are cut", choices=("stream", "best-fit"))
    seed: int = knob(
        0,
        "of the initial parameters and of the order of the windows",
        least=0,
        most=LARGEST_SEED,
    )
    optimizer: str = knob(
        "muon",
        "muon takes the matrices of the blocks and adamw the rest, or adamw takes all",
        choices=tuple(OPTIMIZERS),
    )
    lr: float = knob(
        float(AUTO),
        f"highest learning rate; {AUTO} is the optimizer's: "
        + ", ".join(f"{name} {rate:g}" for name, rate in OPTIMIZERS.items()),
        least=AUTO,
    )
    schedule: str = knob(
        "cosine",
        "course of the rate after warm-up",
        choices=("cosine", "linear", "trapezoid", "constant"),
    )
    lr_floor: float = knob(
        0.0, "share of the highest rate that is left at the end", least=0, most=1
    )
    warmup: int = knob(
        AUTO,
        f"steps of linear warm-up; {AUTO} is a tenth of steps, at most {LONGEST_WARMUP}",
        least=AUTO,
    )
    beta2: float = knob(0.95, "AdamW: decay of the squared gradient's mean", above=0, below=1)
    weight_decay: float = knob(0.1, "decoupled decay of the matrices", least=0)
    clip: float = knob(1.0, "largest norm of the gradient", above=0)
    eval_every: int = knob(100, "steps between evaluations", least=1, effect=NOTHING)
    eval_tokens: int = knob(
        0, "validation tokens to evaluate, spread evenly; 0 is all of them", least=0
    )
    log_every: int = knob(10, "steps between rows of metrics.jsonl", least=1, effect=NOTHING)
    save_every: int = knob(250, "steps between checkpoints", least=1, effect=NOTHING)
    keep: int = knob(2, "newest checkpoints to keep", least=1, effect=NOTHING)
    tensorboard: bool = knob(False, "write OUT/tensorboard as well", effect=NOTHING)
    device: str = knob("auto", "auto is cuda where there is one", choices=("auto", "cpu", "cuda"))
    ranks: int = knob(0, "processes; 0 is as many as torchrun started", least=0)
    threads: int = knob(0, "CPU threads a process; 0 is one a core", least=0, most=1024)
    precision: str = knob(
        "auto",
        "of the matrix products; auto is bfloat16 on cuda, float32 on a CPU",
        choices=("auto", "float32", "bfloat16"),
    )
    compile: str = knob(
        "auto", "run through torch.compile; auto is on cuda only", choices=("auto", "on", "off")
    )
    ce_chunk: int = knob(0, "targets whose logits exist at once; 0 is all", least=0)
    deterministic: bool = knob(False, "bit-exact kernels on cuda too, at some cost")
    allow_uniform_weights: bool = knob(
        False, "let a weighted objective run on weights that are all equal", effect=NOTHING
    )
    objectives: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    model: ModelConfig = field(default_factory=ModelConfig)

    def __post_init__(self) -> None:
        """Make places absolute; raise AssayError where a field, or two together, make no run."""
        _check(self)
        _require(
            self.lr > 0 or self.lr == AUTO,
            f"lr is {self.lr}, must be > 0; left out, it follows optimizer",
        )
        _require(
            self.warmup < self.steps,
            f"warmup is {self.warmup}, must be ≥ 0 and less than steps ({self.steps}); left out, "
            "it follows steps",
        )
        _require(
            self.batch % max(self.ranks, 1) == 0,
            f"batch {self.batch} does not split over {self.ranks} processes",
        )


@dataclass(frozen=True)
class ResolvedConfig(TrainConfig):
    """A config whose every `auto`, and every 0 that stands for it, is what this machine uses.

    Made by `trainer.machine.resources.resolve`; whoever computes anything asks for this type.
    """

    def __post_init__(self) -> None:
        """Raise ValueError where something is left to the machine: a defect of the caller."""
        super().__post_init__()
        named = "auto" in (self.device, self.precision, self.compile)
        if named or not self.threads * self.ranks or AUTO in (self.warmup, self.lr):
            raise ValueError(
                "device, precision, compile, threads, ranks, warmup and lr are to be resolved"
            )


def _check(config: object) -> None:
    """Make the places of a config absolute, and check each of its fields."""
    for name, (_, one) in list_knobs(config).items():
        value = getattr(config, name)
        if one.effect == PLACE and value:
            object.__setattr__(config, name, str(read_folder(value)))
        bounded = one.most is not None or not isinstance(value, int)
        _require(bounded or value <= LARGEST, f"{name} is {value}, must be ≤ {LARGEST}")
    check_knobs(config)


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise AssayError(message)
