"""The flat form of a config: one name means one field everywhere.

Fields of the model and of the objectives are listed with those of training, in a flag, in an
ablation's arm (`NAME:lr=0.001,layers=6`), in config.json and in an error message.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_type_hints

from trainer.config.schema import ModelConfig, ObjectiveConfig, TrainConfig
from trainer.objectives.registry import OWN, list_knob_classes, load_objectives
from weighting.errors import AssayError
from weighting.knobs import PLACE, RESULT, Knob, list_knobs
from weighting.storage.files import read_json

DEPTH = "depth"  # the size dial, a short form of three fields
WIDTH_PER_LAYER = 64  # of the size dial: depth 12 has the shape of GPT-2 124M

Value = bool | int | float | str
FlatConfig = Mapping[str, Value]


@dataclass(frozen=True)
class FlatField:
    """One field of the flat form: its type, its default, and its help and bounds."""

    kind: type[Value]
    default: object
    knob: Knob


def list_fields() -> dict[str, FlatField]:
    """Return every field by its name: of training, of the objectives, of the model.

    Raises:
        AssayError: a knob of an installed package's objective has a name that is taken.
    """
    found: dict[str, FlatField] = {}
    for part, owner in _list_parts():
        hints = get_type_hints(part)
        for name, (item, one) in list_knobs(part).items():
            if name in found:
                raise AssayError(f"objective {owner}: the name of its knob {name!r} is taken")
            told = replace(one, help=f"{owner}: {one.help}" if owner else one.help)
            found[name] = FlatField(hints[name], item.default, told)
    objective = found["objective"]
    choices = tuple(load_objectives())
    found["objective"] = replace(objective, knob=replace(objective.knob, choices=choices))
    return found


def flatten(config: TrainConfig) -> dict[str, Value]:
    """Return every field's value by its name: the JSON form.

    Of objectives of installed packages, the knobs of the chosen one only: what is installed beside
    it makes no difference to a run.
    """
    objectives = config.objectives
    kept = {one.knobs for one in (*OWN.values(), objectives.chosen)}
    knobs = [one for one in objectives.knobs if type(one) in kept]
    return _read_values(config, objectives, *knobs, config.model)


def override(config: TrainConfig, values: Mapping[str, Any]) -> TrainConfig:
    """Return `config` with some fields replaced; `values` is in the flat form.

    `depth` sets layers, width and heads, see `spread_depth`.

    Raises:
        AssayError: an unknown field, a value of the wrong type, or an impossible combination.
    """
    known = list_fields()
    for name, value in values.items():
        kind = int if name == DEPTH else _find(name, known).kind
        _require(_fits(value, kind), f"{name} is {value!r}, must be {kind.__name__}")
    objectives = config.objectives
    base = _read_values(config, objectives, *objectives.knobs, config.model)
    given = base | spread_depth(values)
    merged = {name: known[name].kind(value) for name, value in given.items()}

    def take(part: type[Any]) -> dict[str, Value]:
        return {name: merged[name] for name in list_knobs(part)}

    knobs = tuple(type(one)(**take(type(one))) for one in objectives.knobs)
    return TrainConfig(
        **take(TrainConfig),  # type: ignore[arg-type]
        objectives=ObjectiveConfig(**take(ObjectiveConfig), knobs=knobs),  # type: ignore[arg-type]
        model=ModelConfig(**take(ModelConfig)),  # type: ignore[arg-type]
    )


def spread_depth(values: FlatConfig) -> dict[str, Value]:
    """Replace `depth` d by layers d, width 64 d and d heads.

    Raises:
        AssayError: depth is below 1, or is given together with a field that it sets.
    """
    rest = dict(values)
    if DEPTH not in rest:
        return rest
    depth = int(rest.pop(DEPTH))
    _require(depth >= 1, f"depth is {depth}, must be ≥ 1")
    meant = {"layers": depth, "width": WIDTH_PER_LAYER * depth, "heads": depth}
    both = [name for name in meant if name in rest]
    _require(not both, f"depth sets layers, width and heads: leave out {', '.join(both)}")
    return rest | meant


def parse_value(name: str, text: str) -> Value:
    """Read one field's value from text, as flags and ablation arms give it.

    Raises:
        AssayError: an unknown field, or text that is not a value of its type.
    """
    kind = int if name == DEPTH else _find(name, list_fields()).kind
    if kind is bool:
        _require(text in ("true", "false"), f"{name} is {text!r}, must be true or false")
        return text == "true"
    try:
        return kind(text)
    except ValueError:
        raise AssayError(f"{name} is {text!r}, must be {kind.__name__}") from None


def read_config(path: Path) -> TrainConfig:
    """Read the flat JSON form; fields that are left out have their defaults.

    Relative places start in the file's folder.
    """
    values = read_json(path)
    _require(isinstance(values, dict), f"{path}: must be one JSON object")
    for name in list_names(PLACE) & values.keys():
        if isinstance(values[name], str) and values[name]:
            values[name] = str(path.absolute().parent / values[name])
    return override(TrainConfig(), values)


def list_names(effect: str) -> set[str]:
    """Return the fields whose knobs have an effect, see `weighting.knobs.Knob`."""
    return {name for name, one in list_fields().items() if one.knob.effect == effect}


def check_same_config(where: Path, then: FlatConfig, now: FlatConfig) -> None:
    """Raise AssayError that names the first field by which two configs have other results.

    Places do not count: what is read there is compared by its checksums. A field that a record of
    an older version lacks had its default.
    """
    known = list_fields()
    defaults = {name: one.default for name, one in known.items()}
    ignored = {name for name, one in known.items() if one.knob.effect != RESULT}

    def compared(config: FlatConfig) -> dict[str, object]:
        whole = {**defaults, **config}
        return {name: value for name, value in whole.items() if name not in ignored}

    check_same(where, compared(then), compared(now))


def check_same(where: Path, then: Mapping[str, object], now: Mapping[str, object]) -> None:
    """Raise AssayError that names the first entry in which two flat mappings differ."""
    for name in sorted({*then, *now}):
        if then.get(name) != now.get(name):
            raise AssayError(
                f"{where}: made with {name} {then.get(name)}, now {name} is {now.get(name)}; "
                "give the same value, or another folder"
            )


def _list_parts() -> Iterator[tuple[type[Any], str]]:
    """Yield each dataclass with fields, and the objectives that it is of."""
    yield TrainConfig, ""
    yield ObjectiveConfig, ""
    for kind, names in list_knob_classes().items():
        yield kind, ", ".join(names)
    yield ModelConfig, ""


def _read_values(*parts: object) -> dict[str, Value]:
    return {name: getattr(part, name) for part in parts for name in list_knobs(part)}


def _fits(value: object, kind: type[Value]) -> bool:
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, kind) or (kind is float and isinstance(value, int))


def _find(name: str, known: Mapping[str, FlatField]) -> FlatField:
    _require(name in known, f"no field {name!r}; the fields are {', '.join(known)}")
    return known[name]


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise AssayError(message)
