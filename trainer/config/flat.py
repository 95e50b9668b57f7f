"""The flat form of a config: one name means one field everywhere.

Fields of the model and of the objectives are listed with those of training, in a flag, in an
ablation's arm (`NAME:lr=0.001,layers=6`), in config.json and in an error message.
"""

from collections.abc import Mapping
from dataclasses import Field, asdict, fields
from itertools import chain
from pathlib import Path
from typing import Any, get_type_hints

from trainer.config.schema import ModelConfig, ObjectiveConfig, TrainConfig
from weighting.errors import AssayError
from weighting.storage.files import read_json

# Where a run reads from: two runs of one config may find the same data at different places.
LOCATIONS = ("shards", "tokenizer", "reference")
PARTS: Mapping[str, type[Any]] = {"objectives": ObjectiveConfig, "model": ModelConfig}
DEPTH = "depth"  # the size dial, a short form of three fields
WIDTH_PER_LAYER = 64  # of the size dial: depth 12 has the shape of GPT-2 124M


def describe_fields() -> dict[str, Field[Any]]:
    """Return every field by its name, training fields first."""
    own = [item for item in fields(TrainConfig) if item.name not in PARTS]
    return {item.name: item for item in chain(own, *map(fields, PARTS.values()))}


def flat_fields() -> dict[str, type]:
    """Return the type of every field by its name, training fields first."""
    hints = {
        name: kind
        for part in (TrainConfig, *PARTS.values())
        for name, kind in get_type_hints(part).items()
    }
    return {name: hints[name] for name in describe_fields()}


def flatten(config: TrainConfig) -> dict[str, Any]:
    """Return every field's value by its name: the JSON form."""
    values = asdict(config)
    return values | {name: value for part in PARTS for name, value in values.pop(part).items()}


def override(config: TrainConfig, values: Mapping[str, Any]) -> TrainConfig:
    """Return `config` with some fields replaced; `values` is in the flat form.

    `depth` sets layers, width and heads, see `spread_depth`.

    Raises:
        AssayError: an unknown field, a value of the wrong type, or an impossible combination.
    """
    known = flat_fields()
    for name, value in values.items():
        kind = int if name == DEPTH else _find_kind(name)
        _require(_fits(value, kind), f"{name} is {value!r}, must be {kind.__name__}")
    given = flatten(config) | spread_depth(values)
    merged = {name: known[name](value) for name, value in given.items()}
    parts = {
        part: kind(**{item.name: merged.pop(item.name) for item in fields(kind)})
        for part, kind in PARTS.items()
    }
    return TrainConfig(**merged, **parts)


def spread_depth(values: Mapping[str, Any]) -> dict[str, Any]:
    """Replace `depth` d by layers d, width 64 d and d heads.

    Raises:
        AssayError: depth is below 1, or is given together with a field that it sets.
    """
    rest = dict(values)
    if DEPTH not in rest:
        return rest
    depth = rest.pop(DEPTH)
    _require(depth >= 1, f"depth is {depth}, must be ≥ 1")
    meant = {"layers": depth, "width": WIDTH_PER_LAYER * depth, "heads": depth}
    both = [name for name in meant if name in rest]
    _require(not both, f"depth sets layers, width and heads: leave out {', '.join(both)}")
    return rest | meant


def parse_value(name: str, text: str) -> Any:  # noqa: ANN401 - the type of that field
    """Read one field's value from text, as flags and ablation arms give it.

    Raises:
        AssayError: an unknown field, or text that is not a value of its type.
    """
    kind = int if name == DEPTH else _find_kind(name)
    if kind is bool:
        _require(text in ("true", "false"), f"{name} is {text!r}, must be true or false")
        return text == "true"
    try:
        return kind(text)
    except ValueError:
        raise AssayError(f"{name} is {text!r}, must be {kind.__name__}") from None


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


def _find_kind(name: str) -> type:
    known = flat_fields()
    _require(name in known, f"no field {name!r}; the fields are {', '.join(known)}")
    return known[name]


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise AssayError(message)
