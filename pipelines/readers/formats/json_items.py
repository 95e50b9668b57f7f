"""JSON values that are not one a line: items of an array, or objects over several lines.

They are found in a stream by their brackets and quotes, so memory holds one at a time, and each is
parsed on its own. Where no value begins or one does not end, the rest of the file is one reject.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from pipelines.readers.records import PAYLOAD_LIMIT, Reject, RejectKind
from pipelines.readers.streams import open_stream
from pipelines.readers.streams.compression import Damage
from pipelines.readers.streams.content import find_newline

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
BETWEEN = re.compile(rb"(?:\xef\xbb\xbf)?[\s,\x1e]*+")  # U+001E begins values in RFC 7464
STRING = rb'"(?:[^"\\]++|\\.)*+"'
TOKEN = re.compile(STRING + rb'|[\[\]{}"]', re.DOTALL)
APART = re.compile(rb"(?:[\s,\x1e]|\xef\xbb\xbf)*+")  # values that share a line
SCALAR = re.compile(STRING + rb"|[\w+.-]++", re.DOTALL)
BLANK = b" \t\n\r\x0b\x0c\x1e"  # before a value
GOES_ON = b"{[,:"  # what a line ends with whose value does not


class Broken(Exception):
    """No value begins here, or it does not end; `kind` is that of the reject."""

    def __init__(self, kind: RejectKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Span(NamedTuple):
    """How far a value was followed: to its end, or as far as the data goes."""

    end: int
    depth: int


START = Span(0, 0)


def holds_lines(head: bytes) -> bool:
    """Say whether a file that begins so holds a value a line.

    Else it holds an array, or objects that go on in further lines: the first line ends where a
    value does not, and the second does not look like a line of its own.
    """
    first = head.removeprefix(BYTE_ORDER_MARK).lstrip(BLANK)
    line, newline, rest = first.partition(find_newline(head))
    line, rest = line.rstrip(), rest.lstrip(BLANK)
    span = _follow(line, START)
    if line.startswith(b"["):
        return span.depth == 0 and rest.startswith(b"[")
    if not (newline and line.startswith(b"{") and line[-1:] in GOES_ON):
        return True
    if span.depth == 0:
        return not line.endswith(b",")  # commas between lines, as in an array
    in_text = line[span.end : span.end + 1] == b'"'
    return in_text or (rest.startswith(b'{"') and line[-1:] not in b"[:")


def read_items(path: str) -> Iterator[tuple[str, bytes] | Reject]:
    """Yield (locator, value) for each value of a file, and a reject for a rest that is broken.

    Raises:
        OSError: the file cannot be opened or read.
    """
    stream = _Stream(open_stream.read_text_blocks(path))
    number = 0
    try:
        while (value := stream.next_value()) is not None:
            yield f"item {number}", value
            number += 1
    except Broken as error:
        payload = bytes(stream.window[:PAYLOAD_LIMIT])
        yield Reject(f"item {number}", error.kind, f"{error}; the rest is left out", payload)


def split_values(line: bytes) -> list[tuple[int, bytes]]:
    """Return (place, value) of each object on a line that holds nothing else; else nothing.

    The last may be cut short. Parts of a file that were put together have such lines where the last
    of a part had no newline; those with U+001E before values (RFC 7464) are read alike.
    """
    values: list[tuple[int, bytes]] = []
    at = _skip(line, 0)
    while at < len(line):
        span = _follow(line, Span(at, 0))
        if line[at : at + 1] != b"{" or (span.depth and not values):
            return []
        end = len(line) if span.depth else span.end
        values.append((at, line[at:end]))
        at = _skip(line, end)
    return values


def _skip(line: bytes, at: int) -> int:
    match = APART.match(line, at)
    return match.end() if match else at


class _Stream:
    """A window on a stream of values: the bytes from the one to come on."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self.blocks = blocks
        self.window = bytearray()
        self.in_array = False

    def next_value(self) -> bytes | None:
        """Return the next value's bytes, None at the end.

        Raises:
            Broken: none begins, it does not end, or the array does not.
        """
        while (first := self._skip_between()) in (b"[", b"]") and (first == b"]") == self.in_array:
            self.in_array = not self.in_array
            del self.window[:1]
        if not first:
            if self.in_array:
                raise Broken(RejectKind.TRUNCATED, "the data ends before the array does")
            return None
        end = self._find_end() if first in (b"{", b"[") else self._find_scalar()
        value = bytes(self.window[:end])
        del self.window[:end]
        return value

    def _skip_between(self) -> bytes:
        """Move to the next value or bracket and return its first byte; nothing at the end."""
        while True:
            match = BETWEEN.match(self.window)
            del self.window[: match.end() if match else 0]
            if self.window or not self._fill():
                return bytes(self.window[:1])

    def _find_end(self) -> int:
        span = START
        while True:
            span = _follow(self.window, span)
            if span.depth == 0:
                return span.end
            self._grow("the data ends within a value")

    def _find_scalar(self) -> int:
        while True:
            match = SCALAR.match(self.window)
            if match and match.end() < len(self.window):
                return match.end()
            if match is None and self.window[:1] != b'"':
                raise Broken(RejectKind.BAD_JSON, "no value begins here")
            if match and not self._fill():
                return match.end()
            if match is None:
                self._grow("the data ends within a text")

    def _grow(self, otherwise: str) -> None:
        if len(self.window) > open_stream.RECORD_LIMIT:
            limit = f"{open_stream.RECORD_LIMIT:,}"
            raise Broken(RejectKind.TOO_LONG, f"value of more than {limit} bytes")
        if not self._fill():
            raise Broken(RejectKind.TRUNCATED, otherwise)

    def _fill(self) -> bool:
        try:
            block = next(self.blocks, None)
        except Damage as damage:
            raise Broken(RejectKind.TRUNCATED, str(damage)) from None
        self.window += block or b""
        return block is not None


def _follow(data: bytes | bytearray, span: Span) -> Span:
    """Follow a value from where it was left to its end, or to where more data is needed."""
    end, depth = span
    for match in TOKEN.finditer(data, end):
        token = match[0]
        if token == b'"':  # of a text that does not end in the data
            return Span(match.start(), depth)
        end = match.end()
        if token in (b"{", b"["):
            depth += 1
        elif token in (b"}", b"]"):
            depth -= 1
            if depth == 0:
                return Span(end, 0)
    return Span(end, depth)
