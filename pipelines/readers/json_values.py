"""Rows as JSON text: at once where all of it fits, else with null for the values that do not.

What JSON, UTF-8 or assay's own limits cannot hold costs its field, never its row: the value becomes
null, and a reason (`LeftOut`) is counted. Integers of any size are kept.
"""

import base64
import json
import math
import re
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

DEEPEST = 250  # levels of objects and lists; orjson writes 254 and reads 1024
LONGEST_INTEGER = 4300  # digits that Python converts; longer ones are kept as text
TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)
SURROGATE = re.compile("[\ud800-\udfff]")
ESCAPED = re.compile("[\udc80-\udcff]")  # how Python holds bytes that are not UTF-8


class LeftOut(StrEnum):
    """Why a field's value is null in the metadata, or is not quite what the input has."""

    BAD_COLUMN = "bad_column"  # of a Parquet file, which cannot be decoded
    BAD_DATE = "bad_date"  # one that Python cannot hold, such as the year 10000
    BAD_UTF8 = "bad_utf8"
    BAD_VALUE = "bad_value"  # any other that Python cannot hold
    INFINITY = "infinity"
    LONE_SURROGATE = "lone_surrogate"  # half of a character, as in "\ud800"
    NAN = "nan"
    SOURCE_TYPE = (
        "source_type"  # a source that is no text: it is kept, the source is the file's name
    )
    SURROGATE_IN_TEXT = "surrogate_in_text"  # the text is kept, with U+FFFD in its place
    TOO_DEEP = "too_deep"  # more than DEEPEST objects or lists in each other


class Fitted(NamedTuple):
    """A value that is fit to be JSON, and why parts of it are null."""

    value: Any
    left_out: tuple[str, ...]


def to_json(value: object) -> str:
    """Return JSON text, keys sorted; bytes as base64, other unknown types as their str().

    Raises:
        orjson.JSONEncodeError: something in it does not fit; `fit` makes it do.
    """
    return orjson.dumps(value, default=_plain, option=orjson.OPT_SORT_KEYS).decode()


def write_fitted(value: object) -> str:
    """Return JSON text of what `fit` returned, the same as `to_json` where that can write it."""
    try:
        return to_json(value)
    except orjson.JSONEncodeError:  # an integer of more than 64 bits
        return json.dumps(
            value, default=_plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )


def fit(value: object) -> Fitted:
    """Return a value with null in place of what does not fit JSON, and the reasons."""
    reasons: list[str] = []
    return Fitted(_fit(value, reasons, 1), tuple(reasons))


def parse(data: bytes) -> Fitted:
    """Return what JSON text says, more patiently than orjson; what is nested too deep is null.

    NaN, Infinity and half characters are read as Python reads them, bytes that are not UTF-8 as
    `surrogateescape` does. `fit` deals with all of these.

    Raises:
        ValueError: it is not JSON.
    """
    data, cut = _cut_depths(data)
    return Fitted(DECODER.decode(data.decode("utf-8", "surrogateescape")), cut)


def explain_surrogates(text: str) -> LeftOut | None:
    """Return why a text is no Unicode; None where it is."""
    if text.isascii() or not (found := SURROGATE.findall(text)):
        return None
    escaped = all(map(ESCAPED.match, found))
    return LeftOut.BAD_UTF8 if escaped else LeftOut.LONE_SURROGATE


def _fit(value: Any, reasons: list[str], depth: int) -> Any:  # noqa: ANN401 - any JSON value
    reason: LeftOut | None = None
    if isinstance(value, str):
        reason = explain_surrogates(value)
    elif isinstance(value, float):
        reason = None if math.isfinite(value) else _explain_float(value)
    elif isinstance(value, dict | list | tuple):
        if depth <= DEEPEST:
            return _fit_parts(value, reasons, depth + 1)
        reason = LeftOut.TOO_DEEP
    if reason is None:
        return value
    reasons.append(reason)
    return None


def _fit_parts(
    value: dict[Any, Any] | list[Any] | tuple[Any, ...], reasons: list[str], depth: int
) -> dict[str, Any] | list[Any]:
    if not isinstance(value, dict):
        return [_fit(item, reasons, depth) for item in value]
    fitted: dict[str, Any] = {}
    for key, item in value.items():
        name = key if isinstance(key, str) else str(key)
        if reason := explain_surrogates(name):  # a name that cannot be written takes its value
            reasons.append(reason)
        else:
            fitted[name] = _fit(item, reasons, depth)
    return fitted


def _explain_float(value: float) -> LeftOut:
    return LeftOut.NAN if math.isnan(value) else LeftOut.INFINITY


def _cut_depths(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Return JSON text with null for what is nested too deep, and a reason for each."""
    if data.count(b"[") + data.count(b"{") <= DEEPEST:
        return data, ()
    parts: list[bytes] = []
    depth = begun = kept = 0
    for match in TOKEN.finditer(data):
        token = match[0]
        if token in (b"[", b"{"):
            depth += 1
            if depth == DEEPEST + 1:
                begun = match.start()
        elif token in (b"]", b"}"):
            if depth == DEEPEST + 1:
                parts += (data[kept:begun], b"null")
                kept = match.end()
            depth -= 1
    if depth > DEEPEST:
        raise ValueError("its brackets are not closed")
    parts.append(data[kept:])
    return b"".join(parts), (LeftOut.TOO_DEEP,) * (len(parts) // 2)


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= LONGEST_INTEGER else digits


def _plain(value: object) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


DECODER = json.JSONDecoder(strict=False, parse_int=_integer)
