"""What a run is: frozen dataclasses whose every field is a command-line flag and a JSON key.

The JSON form is flat, model fields beside training fields, so that one name means one field in a
flag, in an ablation arm (`NAME:lr=0.001,layers=6`), in config.json and in an error message.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from weighting.errors import AssayError
from weighting.files import read_json

# Where a run reads from: two runs of one config may find the same data at different places.
LOCATIONS = ("shards", "tokenizer")


def option(default: Any, text: str, choices: tuple[str, ...] = ()) -> Any:  # noqa: ANN401
    """Return a dataclass field with a default, its help text and its valid values."""
    return field(default=default, metadata={"help": text, "choices": choices})


@dataclass(frozen=True)
class ModelConfig:
    """The shape of a GPT. The vocabulary is not chosen here: the shards say it."""

    layers: int = option(4, "transformer blocks")
    width: int = option(128, "size of the residual stream")
    heads: int = option(4, "attention heads; width / heads is even")
    context: int = option(128, "tokens that a window holds and attention sees")

    def __post_init__(self) -> None:
        """Raise AssayError where the fields do not fit together."""
        for name in ("layers", "width", "heads", "context"):
            _require(getattr(self, name) >= 1, f"{name} is {getattr(self, name)}, must be ≥ 1")
        _require(
            self.width % (2 * self.heads) == 0,
            f"width {self.width} does not split into {self.heads} heads of even size",
        )


@dataclass(frozen=True)
class TrainConfig:
    """One training run, whole: with the same data it gives the same bytes."""

    shards: str = option("", "folder of token shards (RUN/shards)")
    tokenizer: str = option("", "tokenizer.json, for bits per byte (default: beside the shards)")
    objective: str = option("plain", "loss of a batch", ("plain", "weighted"))
    steps: int = option(1000, "optimizer updates")
    batch: int = option(8, "windows an update sees")
    seed: int = option(0, "of the initial parameters and of the order of the windows")
    lr: float = option(4e-3, "highest learning rate")
    warmup: int = option(50, "steps of linear warm-up; a cosine falls to 0 after it")
    weight_decay: float = option(0.1, "decoupled decay of the matrices")
    clip: float = option(1.0, "largest norm of the gradient")
    eval_every: int = option(100, "steps between evaluations")
    eval_tokens: int = option(0, "validation tokens to evaluate, spread evenly; 0 is all of them")
    log_every: int = option(10, "steps between rows of metrics.jsonl")
    save_every: int = option(250, "steps between checkpoints")
    keep: int = option(2, "newest checkpoints to keep")
    threads: int = option(0, "CPU threads; 0 is one a core")
    device: str = option("auto", "auto is cuda where there is one", ("auto", "cpu", "cuda"))
    compile: bool = option(False, "run the model through torch.compile")
    allow_uniform_weights: bool = option(
        False, "let a weighted objective run on weights that are all equal"
    )
    model: ModelConfig = field(default_factory=ModelConfig)

    def __post_init__(self) -> None:
        """Raise AssayError where a field, or two together, make no run."""
        for name in ("steps", "batch", "eval_every", "log_every", "save_every", "keep"):
            _require(getattr(self, name) >= 1, f"{name} is {getattr(self, name)}, must be ≥ 1")
        for name in ("seed", "threads", "eval_tokens", "weight_decay"):
            _require(getattr(self, name) >= 0, f"{name} is {getattr(self, name)}, must be ≥ 0")
        for name in ("lr", "clip"):
            value = getattr(self, name)
            _require(0 < value < math.inf, f"{name} is {value}, must be > 0 and finite")
        _require(
            0 <= self.warmup < self.steps,
            f"warmup is {self.warmup}, must be ≥ 0 and less than steps ({self.steps})",
        )
        for item in fields(self):
            valid, value = item.metadata.get("choices"), getattr(self, item.name)
            _require(
                not valid or value in valid,
                f"{item.name} is {value!r}, must be one of {', '.join(valid or ())}",
            )


def flat_fields() -> dict[str, type]:
    """Return the type of every field by its name, training fields first."""
    hints = get_type_hints(TrainConfig)
    hints.pop("model")
    return hints | get_type_hints(ModelConfig)


def flatten(config: TrainConfig) -> dict[str, Any]:
    """Return every field by its name, the model's beside the others: the JSON form."""
    values = asdict(config)
    model: dict[str, Any] = values.pop("model")
    return values | model


def override(config: TrainConfig, values: Mapping[str, Any]) -> TrainConfig:
    """Return `config` with some fields replaced; `values` is in the flat form.

    Raises:
        AssayError: an unknown field, a value of the wrong type, or an impossible combination.
    """
    known = flat_fields()
    for name, value in values.items():
        _require(name in known, f"no field {name!r}; the fields are {', '.join(known)}")
        _require(_fits(value, known[name]), f"{name} is {value!r}, must be {known[name].__name__}")
    merged = {name: known[name](value) for name, value in (flatten(config) | dict(values)).items()}
    model = {item.name: merged.pop(item.name) for item in fields(ModelConfig)}
    return TrainConfig(**merged, model=ModelConfig(**model))


def parse_value(name: str, text: str) -> Any:  # noqa: ANN401 - the type of that field
    """Read one field's value from text, as flags and ablation arms give it.

    Raises:
        AssayError: an unknown field, or text that is not a value of its type.
    """
    known = flat_fields()
    _require(name in known, f"no field {name!r}; the fields are {', '.join(known)}")
    if known[name] is bool:
        _require(text in ("true", "false"), f"{name} is {text!r}, must be true or false")
        return text == "true"
    try:
        return known[name](text)
    except ValueError:
        raise AssayError(f"{name} is {text!r}, must be {known[name].__name__}") from None


def read_config(path: Path) -> TrainConfig:
    """Read the flat JSON form; fields that are left out have their defaults."""
    values = read_json(path)
    _require(isinstance(values, dict), f"{path}: must be one JSON object")
    return override(TrainConfig(), values)


def check_same(where: Path, then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise AssayError that names the first entry in which two flat mappings differ.

    Locations do not count: the data itself is compared by its checksums.
    """
    for name in sorted({*then, *now} - set(LOCATIONS)):
        if then.get(name) != now.get(name):
            raise AssayError(
                f"{where}: made with {name} {then.get(name)}, now {name} is {now.get(name)}; "
                "give the same value, or another folder"
            )


def _fits(value: object, kind: type) -> bool:
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, kind) or (kind is float and isinstance(value, int))


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise AssayError(message)
