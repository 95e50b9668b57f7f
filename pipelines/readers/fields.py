"""Fields of a decoded row, by name; a name with dots leads into objects: `data.text`.

A field of that very name comes first, at each level.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

DEEPEST = 4  # objects in objects whose fields are listed


class FieldStats(NamedTuple):
    """What some rows say of a field: in how many it has a value, and of which kinds.

    `characters` are those of its strings, all together; `strings` counts them.
    """

    rows: int
    kinds: tuple[str, ...]
    strings: int
    characters: int

    @property
    def mean_characters(self) -> float:
        """The mean length of its strings; 0 where it has none."""
        return self.characters / self.strings if self.strings else 0.0


def locate(row: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    """Return the keys that lead to a field, None if the row has no such field."""
    if name in row:
        return (name,)
    for at, character in enumerate(name):
        if character == "." and isinstance(inner := row.get(name[:at]), dict):
            rest = locate(inner, name[at + 1 :])
            if rest is not None:
                return (name[:at], *rest)
    return None


def take(row: dict[str, Any], name: str) -> object:
    """Remove a field from a row and return its value; None if the row has no such field."""
    value = row.pop(name, None)
    if value is not None or "." not in name:
        return value
    *outer, last = locate(row, name) or (name,)
    for key in outer:
        row = row[key]
    return row.pop(last, None)


def select(row: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return the fields that are named and there, each where it stands in the row."""
    chosen: dict[str, Any] = {}
    for name in names:
        if path := locate(row, name):
            target, source = chosen, row
            for key in path[:-1]:
                source = source[key]
                target = target.setdefault(key, {})
            target[path[-1]] = source[path[-1]]
    return chosen


def keep(row: dict[str, Any], names: Sequence[str] | None) -> dict[str, Any]:
    """Return the fields of a row that are wanted; all for None."""
    return row if names is None else select(row, names)


def tally(rows: Iterable[Mapping[str, Any]]) -> dict[str, FieldStats]:
    """Return what the rows say of each field, by name, in order of appearance."""
    counts: dict[str, int] = defaultdict(int)
    kinds: dict[str, dict[str, None]] = defaultdict(dict)
    strings: dict[str, int] = defaultdict(int)
    characters: dict[str, int] = defaultdict(int)
    for row in rows:
        for name, value in _walk(row):
            kinds[name].setdefault(name_kind(value))
            counts[name] += value is not None
            if isinstance(value, str):
                strings[name] += 1
                characters[name] += len(value)
    return {
        name: FieldStats(counts[name], tuple(found), strings[name], characters[name])
        for name, found in kinds.items()
    }


def suggest_text(rows: Iterable[Mapping[str, Any]]) -> str | None:
    """Return the field whose strings are the longest by their mean, None where none has any."""
    stats = tally(rows)
    best = max(stats, key=lambda name: stats[name].mean_characters, default=None)
    return best if best is not None and stats[best].characters else None


def name_kind(value: object) -> str:
    """Return what JSON calls a value."""
    if value is None:
        return "null"
    kinds = (
        (bool, "boolean"),
        (int, "integer"),
        (float, "number"),
        (str, "string"),
        (dict, "object"),
        (list | tuple, "list"),
    )
    return next((word for kind, word in kinds if isinstance(value, kind)), type(value).__name__)


def _walk(row: Mapping[str, Any], prefix: str = "", depth: int = 1) -> Iterator[tuple[str, Any]]:
    for key, value in row.items():
        if isinstance(value, dict) and value and depth < DEEPEST:
            yield from _walk(value, f"{prefix}{key}.", depth + 1)
        else:
            yield f"{prefix}{key}", value
