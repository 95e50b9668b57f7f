"""Bytes of text in what could not be read: a reject may stand for one record or for a whole file.

An estimate, from what was read of a slice before: a slice that holds a reject which stands for the
rest of it (GAPS) loses what its size leaves. Slices of the same file behind a broken place give
nothing at all; they count once the file is known to be broken.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from pipelines.readers.records import Item, Record, Reject, RejectKind, Slice
from pipelines.readers.streams.whole_files import LOCATOR
from pipelines.work.summaries import CleanSummary, Losses
from pipelines.work.units import Unit

WHOLE = frozenset({RejectKind.UNREADABLE, RejectKind.BAD_HEADER, RejectKind.BAD_SHARD})
GAPS = WHOLE | {
    RejectKind.TRUNCATED,
    RejectKind.TOO_LONG,
    RejectKind.BAD_PARQUET,
    RejectKind.BAD_ARROW,
}
BY_MEMBERS = "warc"  # the reader that goes on behind every broken record
PLACE = re.compile(r"byte (\d+)")  # in a file that is one stream


@dataclass
class SliceTally:
    """How much of a slice was read, and what was not."""

    slice: Slice
    read: int = 0
    lost: int = 0
    broken: bool = False
    silent: bool = True

    def add(self, item: Item) -> None:
        """Count what was found in the slice."""
        self.silent = False
        if isinstance(item, Record):
            self.read += count_bytes(item.text) + count_bytes(item.metadata)
        elif isinstance(item, Reject):
            self.lost += len(item.payload)
            self.broken |= self._is_gap(item)
            if place := PLACE.fullmatch(item.locator):
                self.read = max(self.read, int(place[1]) - self.slice.start)

    def count_lost(self) -> int:
        """Return the bytes of the slice that could not be read."""
        rest = self.slice.size - self.read if self.broken else 0
        return min(self.slice.size, max(self.lost, rest))

    def _is_gap(self, reject: Reject) -> bool:
        if self.slice.reader == BY_MEMBERS:
            return reject.error in WHOLE
        return reject.error in GAPS or reject.locator == LOCATOR


@dataclass
class LossTally:
    """What a unit loses, slice by slice."""

    lost: int = 0
    broken: set[str] = field(default_factory=set)
    silent: dict[str, int] = field(default_factory=dict)

    def add(self, tally: SliceTally) -> None:
        """Count a slice that was read to its end."""
        name = tally.slice.name
        self.lost += tally.count_lost()
        if tally.broken:
            self.broken.add(name)
        if tally.silent:
            self.silent[name] = self.silent.get(name, 0) + tally.slice.size

    def summarize(self) -> Losses:
        """Return what the unit's summary says."""
        return Losses(self.lost, sorted(self.broken), self.silent)


@dataclass(frozen=True)
class LostBytes:
    """Bytes of text that could not be read, and of all; both are estimates."""

    lost: int
    planned: int

    @property
    def share(self) -> float:
        """Return which share is lost."""
        return min(1.0, self.lost / max(1, self.planned))


def sum_losses(units: Iterable[Unit], summaries: Iterable[CleanSummary]) -> LostBytes:
    """Return what a run loses."""
    losses = [summary.losses for summary in summaries]
    broken = {name for one in losses for name in one.broken}
    silent = sum(size for one in losses for name, size in one.silent.items() if name in broken)
    planned = sum(piece.size for unit in units for piece in unit.slices)
    return LostBytes(sum(one.lost for one in losses) + silent, planned)


def count_bytes(text: str) -> int:
    """Return the bytes of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
