"""Lines of a slice of bytes: each line belongs to the slice in which it begins.

Whatever the cut, the slices of a file together yield every line once, and damage to a compressed
stream once: the slice that owns the broken line reports it.
"""

import sys
from collections.abc import Iterator

from pipelines.readers.streams import RECORD_LIMIT, Damage, read_blocks
from pipelines.records import PAYLOAD_LIMIT, Reject


class OpenLine:
    """The line being read. Beyond `limit` bytes it is counted but no longer kept."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.parts: list[bytes] = []
        self.size = 0

    def add(self, part: bytes) -> None:
        """Append what follows."""
        size = self.size + len(part)
        if size <= self.limit:
            self.parts.append(part)
        elif self.size <= self.limit:
            self.parts = [b"".join([*self.parts, part[:PAYLOAD_LIMIT]])[:PAYLOAD_LIMIT]]
        self.size = size

    def close(self, offset: int) -> tuple[int, bytes] | Reject:
        """Return the line, begun at `offset`, or why it is none, and start the next."""
        line, size = b"".join(self.parts), self.size
        self.parts, self.size = [], 0
        if size <= self.limit:
            return offset, line
        message = f"line of {size:,} bytes; the limit is {self.limit:,}"
        return Reject(f"byte {offset}", "too_long", message, line[:PAYLOAD_LIMIT])


def read_lines(
    path: str, start: int, end: int, limit: int = RECORD_LIMIT
) -> Iterator[tuple[int, bytes] | Reject]:
    """Yield (offset, line without its newline) of the lines that begin in [start, end).

    Offsets and bounds count decompressed bytes; `end` of -1 is the end of the file. Rejects:
    `too_long` for a line over `limit` bytes, `truncated` once where compressed data breaks off,
    with the offset reached; the unfinished line before that is its payload.
    """
    # One byte early: that byte tells whether a line begins at `start` itself.
    offset, last = max(start - 1, 0), end if end >= 0 else sys.maxsize
    ours, line = start == 0, OpenLine(limit)
    try:
        for block in read_blocks(path, offset):
            *ended, tail = block.split(b"\n")
            for part in ended:
                line.add(part)
                following = offset + line.size + 1
                closed = line.close(offset)
                if ours:
                    yield closed
                offset, ours = following, True
                if offset >= last:
                    return
            line.add(tail)
            if not ours and offset + line.size >= last:
                return
    except Damage as damage:
        if ours:
            reached, partial = offset + line.size, b"".join(line.parts)[:PAYLOAD_LIMIT]
            yield Reject(f"byte {reached}", "truncated", str(damage), partial)
    else:
        if ours and line.size:
            yield line.close(offset)
