"""CSV and TSV, plain or compressed: one record a row, fields named by the first row.

Fields are apart by a comma or, in a .tsv, a tab. Where the first row, so split, does not name the
text field, the first of comma, semicolon, tab and bar is taken by which it does.

Quoting is that of RFC 4180: a field that begins with a quote may hold delimiters, newlines, and
quotes written twice. Because of such newlines a file is one slice. Lines and locators are those of
`readers.lines`, and end in CR alone where the first row does; where one holds rows that end in
another way, as in parts that were put together, it is split there too, located as `byte N+M`. Blank
lines are not rows. Every value is text, an empty one too; but an empty source counts as missing.

A row is a reject if it has more or fewer fields than the first row (`ragged_row`), is not UTF-8
(`bad_utf8`), or breaks the rules of quoting (`bad_csv`). The last costs only the line where the row
begins: reading goes on at the next line, so that a stray quote does not swallow what follows.
"""

import csv
import re
from codecs import BOM_UTF8
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple, Self

from pipelines.readers.columns import name_columns
from pipelines.readers.records import PAYLOAD_LIMIT, ReadOptions, Record, Reject, RejectKind, Slice
from pipelines.readers.rows import (
    SAMPLED,
    WHOLE_ROWS,
    BadRecord,
    Origin,
    missing_column,
    to_record,
)
from pipelines.readers.streams import open_stream
from pipelines.readers.streams.compression import with_compressions, without_compression
from pipelines.readers.streams.content import Content
from pipelines.readers.streams.lines import read_lines
from pipelines.readers.streams.whole_files import LOCATOR, cut_file, refuse_format

SUFFIXES = with_compressions(".csv", ".tsv")
DELIMITERS = (",", ";", "\t", "|")
ROW_LINES = 2**20  # of one row, which are held until it ends: a stray quote may open it
FIRST_END = re.compile(rb'(?:[^"\r\n]|"[^"]*")*+(\r\n?|\n)')  # of a row, outside of quotes
NEWLINES = re.compile(rb"\r\n|\r|\n")
UNFINISHED = "unexpected end"  # what the error says of a row whose quote is not closed
BROKEN = "surrogateescape"  # how bytes that are not UTF-8 are handed on


class Line(NamedTuple):
    """A line without what ends it, and that."""

    locator: str
    content: bytes
    newline: str

    @property
    def text(self) -> str:
        """The line as it is written; what is not UTF-8 as Python's `surrogateescape`."""
        return self.content.decode(errors=BROKEN) + self.newline

    def split(self) -> list[Self]:
        """Return the line cut at every newline within it."""
        lines, at = [], 0
        for match in NEWLINES.finditer(self.content):
            lines.append(self._cut(at, match.start(), match[0].decode()))
            at = match.end()
        return [*lines, self._cut(at, len(self.content), self.newline)]

    def _cut(self, start: int, end: int, newline: str) -> Self:
        place = f"{self.locator}+{start}" if start else self.locator
        return type(self)(place, self.content[start:end], newline)


class Row(NamedTuple):
    """A row's fields, the lines it is written on, and what is not UTF-8 in them."""

    fields: list[str]
    lines: list[Line]
    broken: UnicodeDecodeError | None

    @property
    def content(self) -> bytes:
        """The row as it is written, without its last newline."""
        *most, last = self.lines
        before = b"".join(line.content + line.newline.encode() for line in most)
        return before + last.content


class BetweenRows(Exception):
    """What the file's lines hold between two rows is not a line but a reject."""

    def __init__(self, reject: Reject) -> None:
        super().__init__(reject.message)
        self.reject = reject


class Feed:
    """The lines that a `csv.reader` asks for; those of its unfinished row can be given back."""

    def __init__(self, lines: Iterator[Line | Reject]) -> None:
        self.waiting = lines
        self.returned: deque[Line | Reject] = deque()
        self.row: list[Line] = []
        self.size = 0
        self.broken: UnicodeDecodeError | None = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.returned.popleft() if self.returned else next(self.waiting)
        if isinstance(line, Reject):
            if not self.row:
                raise BetweenRows(line)
            self.returned.appendleft(line)
            raise csv.Error("the row runs into what cannot be read")
        self.row.append(line)
        self.size += len(line.content) + 1
        if self.size > open_stream.RECORD_LIMIT:
            raise csv.Error(f"row of more than {open_stream.RECORD_LIMIT:,} bytes")
        if len(self.row) > ROW_LINES:
            raise csv.Error(f"row of more than {ROW_LINES:,} lines")
        try:
            return line.content.decode() + line.newline
        except UnicodeDecodeError as error:
            self.broken = self.broken or error
            return line.text

    def finish(self, fields: list[str]) -> Row:
        """Return the row that has been read."""
        row = Row(fields, self.row, self.broken)
        self._start()
        return row

    def give_up(self, error: csv.Error) -> Reject:
        """Return the first line of a broken row as a reject, and take back the others."""
        line, *others = self.row
        self._take_back(others)
        return Reject(line.locator, RejectKind.BAD_CSV, str(error), line.content[:PAYLOAD_LIMIT])

    def split_last(self, delimiter: str, width: int) -> bool:
        """Take back a broken row with its last line split, if that makes rows of `width` fields."""
        *most, last = self.row
        lines = [*most, *last.split()]
        if len(lines) == len(self.row) or not _are_rows(lines, delimiter, width):
            return False
        self._take_back(lines)
        return True

    def _take_back(self, lines: list[Line]) -> None:
        self.returned.extendleft(reversed(lines))
        self._start()

    def _start(self) -> None:
        self.row, self.size, self.broken = [], 0, None


def cut(path: str, name: str, _target_bytes: int) -> list[Slice]:
    """Return the one slice of a file."""
    return cut_file(path, name, "csv")


def read(slice_: Slice, options: ReadOptions) -> Iterator[Record | Reject]:
    """Yield the records of a file's rows.

    A first row that cannot be read is one reject `bad_header` for the file, one that names no text
    column (`missing_field`) as well.
    """
    csv.field_size_limit(open_stream.RECORD_LIMIT)  # of the process; the default is 128 KiB
    content = open_stream.peek(slice_.path)
    if content.foreign:
        yield refuse_format(content)
        return
    newline = _find_newline(content)
    delimiter = _find_delimiter(slice_, options, newline)
    rows = _parse(_read_lines(slice_.path, newline), delimiter)
    header = next(rows, None)
    if header is None:
        return
    if isinstance(header, Reject) or header.broken:
        yield _refuse_header(header)
        return
    names = name_columns(header.fields)
    if options.text_field not in (*names, WHOLE_ROWS):
        sample = (row.fields for row in islice(rows, SAMPLED) if isinstance(row, Row))
        yield missing_column(
            names, options, [dict(zip(names, row, strict=False)) for row in sample]
        )
        return
    origin = Origin.of(slice_)
    for row in rows:
        yield row if isinstance(row, Reject) else _to_record(row, names, options, origin)


def _find_delimiter(slice_: Slice, options: ReadOptions, newline: bytes) -> str:
    """Return what the first row's fields are apart by; see the module's docstring."""
    usual = "\t" if without_compression(slice_.name).lower().endswith(".tsv") else ","
    best, most = usual, 0
    for delimiter in dict.fromkeys((usual, *DELIMITERS)):
        header = next(_parse(_read_lines(slice_.path, newline), delimiter), None)
        fields = header.fields if isinstance(header, Row) else []
        if options.text_field in fields:
            return delimiter
        if len(fields) > max(most, 1):
            best, most = delimiter, len(fields)
    return best


def _read_lines(path: str, newline: bytes) -> Iterator[Line | Reject]:
    """Yield a file's lines without its byte order mark, after which a quote has no effect."""
    mark, end = BOM_UTF8, newline.decode()
    for line in read_lines(path, 0, -1, newline=newline):
        if isinstance(line, Reject):
            yield line
        else:
            yield Line(line[0], line[1].removeprefix(mark), end)
        mark = b""


def _find_newline(content: Content) -> bytes:
    """Return what ends a file's rows, by the first that ends."""
    match = FIRST_END.match(content.head)
    if match is None or match.end() == len(content.head):
        return content.newline
    return b"\r" if match[1] == b"\r" else b"\n"


def _parse(lines: Iterator[Line | Reject], delimiter: str) -> Iterator[Row | Reject]:
    feed, width = Feed(lines), 0
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    while True:
        try:
            fields = next(reader, None)
        except BetweenRows as found:
            yield found.reject
        except csv.Error as error:
            if not feed.split_last(delimiter, width):
                yield feed.give_up(error)
        else:
            if fields is None:
                return
            row = feed.finish(fields)
            if fields:
                width = width or len(fields)
                yield row


def _are_rows(lines: list[Line], delimiter: str, width: int) -> bool:
    """Say whether lines are rows of so many fields; the last may go on behind them."""
    rows = csv.reader((line.text for line in lines), delimiter=delimiter, strict=True)
    try:
        return all(len(fields) in (0, width) for fields in rows)
    except csv.Error as error:
        return UNFINISHED in str(error)


def _to_record(row: Row, names: list[str], options: ReadOptions, origin: Origin) -> Record | Reject:
    locator = row.lines[0].locator
    try:
        if row.broken:
            raise BadRecord(
                RejectKind.BAD_UTF8, f"byte {row.broken.start} of a line: {row.broken.reason}"
            )
        if len(row.fields) != len(names):
            message = f"{len(row.fields)} fields; the first row has {len(names)}"
            raise BadRecord(RejectKind.RAGGED_ROW, message)
        values = dict(zip(names, row.fields, strict=True))
        if not values.get(options.source_field):
            values.pop(options.source_field, None)
        return to_record(values, locator, options, origin)
    except BadRecord as error:
        return Reject(locator, error.error, str(error), row.content[:PAYLOAD_LIMIT])


def _refuse_header(header: Row | Reject) -> Reject:
    if isinstance(header, Row):
        header = Reject("", RejectKind.BAD_UTF8, str(header.broken), header.content[:PAYLOAD_LIMIT])
    message = f"the first row cannot be read: {header.message}"
    return Reject(LOCATOR, RejectKind.BAD_HEADER, message, header.payload)
