"""Dataclasses as JSON: what steps hand on to one another has a type, and its file says no less.

`to_json` gives what `json` can write; `from_json` reads it back by the type's own annotations and
refuses what does not fit. Dataclasses and named tuples are objects, tuples and lists are arrays.
"""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from weighting.errors import BrokenContract
from weighting.storage.files import read_json, write_json

T = TypeVar("T")
SCALARS = (bool, int, float, str)


def write_record(path: Path, record: object) -> None:
    """Write a record to a JSON file, whole or not at all."""
    write_json(path, to_json(record))


def read_record(kind: type[T], path: Path) -> T:
    """Read a record back.

    Raises:
        BrokenContract: what is in the file is not such a record; the message names file and place.
    """
    try:
        return from_json(kind, read_json(path))
    except BrokenContract as error:
        raise BrokenContract(f"{path}: {error}") from None


def to_json(value: Any) -> Any:  # noqa: ANN401 - any record, and what JSON has for it
    """Return what JSON has for a value; keys of mappings are text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: to_json(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {name: to_json(getattr(value, name)) for name in value._fields}
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_json(item) for item in value]
    return value.value if isinstance(value, Enum) else value


def from_json(kind: type[T], value: Any, where: str = "") -> T:  # noqa: ANN401 - what JSON has
    """Return the value of a type that `to_json` turned into `value`.

    Raises:
        BrokenContract: it is of another type, lacks a field or has one too many; `where` leads
            there.
    """
    return cast("T", _read(kind, value, where))


def _read(kind: Any, value: Any, where: str) -> Any:  # noqa: ANN401
    origin, given = get_origin(kind), get_args(kind)
    if kind is Any or kind is object:
        return value
    if origin in (Union, UnionType):
        return _read_union(given, value, where)
    if origin is not None and issubclass(origin, Mapping):
        _require(isinstance(value, dict), kind, value, where)
        return {key: _read(given[1], item, f"{where}.{key}") for key, item in value.items()}
    if origin is not None:
        return _read_array(origin, given, value, where)
    if is_dataclass(kind) or hasattr(kind, "_fields"):
        return _read_record(kind, value, where)
    if issubclass(kind, Enum):
        return kind(value)
    fits = isinstance(value, kind) and isinstance(value, bool) == (kind is bool)
    _require(fits or (kind is float and type(value) is int), kind, value, where)
    return kind(value) if kind in SCALARS else value


def _read_union(given: tuple[Any, ...], value: Any, where: str) -> Any:  # noqa: ANN401
    if value is None and NoneType in given:
        return None
    errors = []
    for kind in (one for one in given if one is not NoneType):
        try:
            return _read(kind, value, where)
        except BrokenContract as error:
            errors.append(error)
    raise errors[0]


def _read_array(origin: Any, given: tuple[Any, ...], value: Any, where: str) -> Any:  # noqa: ANN401
    """Read a list, a sequence, a tuple of one type (`tuple[int, ...]`) or of several."""
    _require(isinstance(value, list), origin, value, where)
    fixed = origin is tuple and given[-1] is not Ellipsis
    if not fixed and set(map(type, value)) <= {given[0]} & set(SCALARS):  # fast, for long ones
        return value if origin is list else tuple(value)
    if fixed:
        _require(len(value) == len(given), origin, value, where)
        kinds = given
    else:
        kinds = (given[0],) * len(value)
    items = [
        _read(kind, item, f"{where}[{at}]")
        for at, (kind, item) in enumerate(zip(kinds, value, strict=True))
    ]
    return items if origin is list else tuple(items)


def _read_record(kind: Any, value: Any, where: str) -> Any:  # noqa: ANN401
    _require(isinstance(value, dict), kind, value, where)
    hints, needed = _describe(kind)
    for name in value.keys() - hints.keys():
        raise BrokenContract(f"{where or kind.__name__}: unknown field {name!r}")
    for name in needed - value.keys():
        raise BrokenContract(f"{where or kind.__name__}: field {name!r} is missing")
    return kind(
        **{name: _read(hints[name], item, f"{where}.{name}") for name, item in value.items()}
    )


@cache
def _describe(kind: Any) -> tuple[Mapping[str, Any], frozenset[str]]:  # noqa: ANN401
    """Return the types of a record's fields, and the names of those without a default."""
    hints = get_type_hints(kind)
    if is_dataclass(kind):
        own = [item for item in fields(kind) if item.init]
        needed = [
            item.name for item in own if item.default is MISSING and item.default_factory is MISSING
        ]
        return {item.name: hints[item.name] for item in own}, frozenset(needed)
    names: tuple[str, ...] = kind._fields
    return {name: hints[name] for name in names}, frozenset(names) - kind._field_defaults.keys()


def _require(fits: bool, kind: Any, value: Any, where: str) -> None:  # noqa: ANN401
    if not fits:
        name = getattr(kind, "__name__", kind)
        raise BrokenContract(f"{where or 'record'}: {value!r:.80} is no {name}")
