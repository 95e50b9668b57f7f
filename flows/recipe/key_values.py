"""KEY=VALUE on the command line, read as TOML reads it."""

import json
import tomllib
from collections.abc import Sequence
from typing import Any

from weighting.errors import AssayError


def read_key_values(items: Sequence[str]) -> dict[str, Any]:
    """Return a table of KEY=VALUE items; keys may be dotted, and text needs no quotes.

    What is not a TOML value is text.

    Raises:
        AssayError: an item is not of this form, or a key comes twice.
    """
    lines = []
    for item in items:
        key, equals, value = item.partition("=")
        if not equals or not key.strip():
            raise AssayError(f"{item!r}: give KEY=VALUE")
        lines.append(f"{key} = {value if _is_value(value) else _quote(value)}")
    try:
        return tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError as error:
        raise AssayError(f"{', '.join(items)}: {error}") from None


def _is_value(text: str) -> bool:
    try:
        return list(tomllib.loads(f"value = {text}")) == ["value"]  # and no second line
    except tomllib.TOMLDecodeError:
        return False


def _quote(text: str) -> str:
    """Return a string of TOML, whose escapes are those of JSON."""
    return json.dumps(text.strip(), ensure_ascii=False)
