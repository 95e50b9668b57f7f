"""Lines of a slice of bytes: each line belongs to one slice, whatever the cut.

Plain files are cut at byte ranges, and so are compressed ones, by ranges of *decompressed* bytes:
a slice decompresses from the file's start up to its range, which is cheap beside cleaning and
bounded by a limit on the number of slices. A framed file (see `readers.frames`) is cut at the
stored offsets of frames instead, and a slice decompresses its own frames only.

A line belongs to the slice in which it begins; in a framed file, to the slice in which the line
before it ends, since what a frame begins with cannot be told without the frame before.

Locators are `byte N`, the line's first byte once decompressed; behind the first frame of a framed
file `frame F byte N`, where N counts from the frame at stored offset F. They do not depend on the
cut, nor do those of the first frame on whether others follow. What ends a line is LF, or CR as the
caller says: files of such lines are not cut. Damage to a compressed stream is
reported once, by the slice that owns the broken line.
"""

from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from sys import maxsize

from pipelines.readers.records import PAYLOAD_LIMIT, Reject, RejectKind, Slice
from pipelines.readers.streams import open_stream
from pipelines.readers.streams.compression import Chunk, Damage, is_compressed
from pipelines.readers.streams.content import UTF8
from pipelines.readers.streams.frames import is_framed, list_frames, read_frames

# Sixteen slices decompress a file eight and a half times between them.
COMPRESSED_SLICES = 16


class OpenLine:
    """The line being read. Beyond `limit` bytes it is counted but no longer kept."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.parts: list[bytes] = []
        self.size = 0
        self.locator = ""

    def add(self, part: bytes, locator: str) -> None:
        """Append what follows; `locator` is of the part's first byte."""
        self.locator = self.locator if self.size else locator
        size = self.size + len(part)
        if size <= self.limit:
            self.parts.append(part)
        elif self.size <= self.limit:
            self.parts = [b"".join([*self.parts, part[:PAYLOAD_LIMIT]])[:PAYLOAD_LIMIT]]
        self.size = size

    def close(self) -> tuple[str, bytes] | Reject:
        """Return the line, or why it is not one, and start the next."""
        line, size = b"".join(self.parts), self.size
        self.parts, self.size = [], 0
        if size <= self.limit:
            return self.locator, line
        message = f"line of {size:,} bytes; the limit is {self.limit:,}"
        return Reject(self.locator, RejectKind.TOO_LONG, message, line[:PAYLOAD_LIMIT])

    def end_at(self, damage: Damage, locator: str) -> Reject:
        """Return the reject of a stream that breaks off in the line, and start the next."""
        head = b"".join(self.parts)[:PAYLOAD_LIMIT]
        self.parts, self.size = [], 0
        return Reject(locator, RejectKind.TRUNCATED, str(damage), head)


def cut(path: str, name: str, reader: str, target_bytes: int) -> list[Slice]:
    """Cut a file into slices of about `target_bytes` of decompressed bytes; the last is open."""
    size = open_stream.text_size(path)
    if size > target_bytes:
        with suppress(OSError):  # one that cannot be opened, which reading will report
            if is_framed(path):
                return _cut_frames(path, name, reader, target_bytes)
    count = max(1, round(size / target_bytes))
    if is_compressed(path):
        count = min(count, COMPRESSED_SLICES)
    step = -(-size // count)
    bounds = [*range(0, step * count, step), -1] if size else [0, -1]
    return [Slice(path, name, reader, start, end, step) for start, end in pairwise(bounds)]


def read_lines(
    path: str, start: int, end: int, limit: int | None = None, newline: bytes = b"\n"
) -> Iterator[tuple[str, bytes] | Reject]:
    """Yield (locator, line without its newline) of the lines of the slice [start, end).

    Bounds are those that `cut` makes; `end` of -1 is the end of the file. `newline` is one byte,
    other than LF only for a whole file. Rejects: `too_long` for a line over `limit` bytes (default:
    RECORD_LIMIT), and `truncated` for each place where compressed data breaks off, with the place
    reached; the unfinished line before is its payload.
    """
    framed = is_framed(path) and not (start == 0 and end < 0 and _is_recoded(path))
    chunks = read_frames(path, start) if framed else _read_plain(path, max(start - 1, 0))
    line = OpenLine(open_stream.RECORD_LIMIT if limit is None else limit)
    ours = start == 0
    for chunk in chunks:
        bound = _bound(chunk.frame, end, framed)
        if not ours and chunk.offset >= bound:
            return
        for at, item in _end_lines(chunk, line, newline):
            if ours:
                yield item
            ours = True
            if at >= bound:
                return
    if ours and line.size:
        yield line.close()


def _end_lines(
    chunk: Chunk | Damage, line: OpenLine, newline: bytes
) -> Iterator[tuple[int, tuple[str, bytes] | Reject]]:
    """Yield what ends in a chunk, with the offset of its end: lines, or the stream at damage."""
    place = f"frame {chunk.frame} byte " if chunk.frame else "byte "
    at = chunk.offset
    if isinstance(chunk, Damage):
        yield at, line.end_at(chunk, f"{place}{at}")
        return
    *ended, tail = chunk.data.split(newline)
    for part in ended:
        end = at + len(part)
        if line.size or len(part) > line.limit:
            line.add(part, f"{place}{at}")
            yield end, line.close()
        else:  # nearly every line
            yield end, (f"{place}{at}", part)
        at = end + 1
    line.add(tail, f"{place}{at}")


def _bound(frame: int, end: int, framed: bool) -> int:
    """Return from which offset in a frame on a newline ends the slice's last line."""
    if end < 0:
        return maxsize
    if framed:
        return 0 if frame >= end else maxsize
    return end - 1


def _is_recoded(path: str) -> bool:
    """Say whether a file is text of another encoding than UTF-8: it is one slice."""
    return open_stream.peek(path).encoding != UTF8


def _read_plain(path: str, start: int) -> Iterator[Chunk | Damage]:
    """Yield a file from decompressed offset `start` on as if it were one frame."""
    offset = start
    try:
        for block in open_stream.read_text_blocks(path, start):
            yield Chunk(0, offset, block)
            offset += len(block)
    except Damage as damage:
        yield Damage(str(damage), 0, offset)


def _cut_frames(path: str, name: str, reader: str, target_bytes: int) -> list[Slice]:
    """Put consecutive frames in one slice as long as they stay within the target."""
    starts, sizes = [0], [0]
    for frame in list_frames(path):
        if sizes[-1] and sizes[-1] + frame.size > target_bytes:
            starts.append(frame.start)
            sizes.append(0)
        sizes[-1] += frame.size
    bounds = pairwise([*starts, -1])
    return [
        Slice(path, name, reader, start, end, size)
        for (start, end), size in zip(bounds, sizes, strict=True)
    ]
