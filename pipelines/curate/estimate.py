"""What dedupe will take, estimated before a run: how hashes are cut, how clusters are found."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pipelines.dedupe import links, repeats
from pipelines.dedupe.unions import BYTES_PER_EDGE
from pipelines.settings import CurateSettings
from pipelines.work.units import Unit

MEGABYTE = 1_000_000
BYTES_ON_DISK = 12  # of a key and the document that it is of


class Estimate(NamedTuple):
    """Bounds from the bytes of text alone; ranges are worked on one at a time in a process."""

    documents: int
    ranges: int  # of the keys by which copies meet; 0: they are not looked for
    key_bytes: int  # in files
    piece_ranges: int  # of the hashes of passages; 0: they are not looked for
    piece_bytes: int  # in files
    links: int  # up to which one process finds the clusters
    memory: int  # bytes for one range

    @property
    def clusters_later(self) -> bool:
        """Whether the links have to be counted before it is clear how clusters are found."""
        return bool(self.ranges) and self.documents > self.links

    def describe(self) -> Iterator[str]:
        """Yield the estimate in words, a line for copies and one for passages."""
        at_once = f"of at most {_show(self.memory)} at a time"
        if self.ranges:
            files = f"{_show(self.key_bytes)} of keys in files, {_count(self.ranges)} {at_once}"
            how = "clusters in one process"
            if self.clusters_later:
                how += f" up to {self.links:,} links, else by star contraction"
            yield f"copies: at most {self.documents:,} documents, {files}; {how}"
        if self.piece_ranges:
            files = f"{_show(self.piece_bytes)} of hashes in files"
            yield f"passages: about {files}, {_count(self.piece_ranges)} {at_once}"


NOTHING = Estimate(
    documents=0, ranges=0, key_bytes=0, piece_ranges=0, piece_bytes=0, links=0, memory=0
)


def estimate(units: Sequence[Unit], settings: CurateSettings) -> Estimate:
    """Return what the dedupe of units will take at the most, by documents of the least length."""
    dedupe = settings.dedupe
    if dedupe is None:
        return NOTHING
    text = sum(piece.size for unit in units for piece in unit.slices)
    documents = text // links.DOCUMENT_BYTES
    keys = 1 + (dedupe.near.bands if dedupe.near else 0)
    ranges = links.estimate_ranges(text, dedupe.near, dedupe.memory) if dedupe.exact else 0
    passages = dedupe.passages
    pieces = repeats.estimate_ranges(text, passages, dedupe.memory) if passages else 0
    return Estimate(
        documents=documents,
        ranges=ranges,
        key_bytes=documents * keys * BYTES_ON_DISK,
        piece_ranges=pieces,
        piece_bytes=text // repeats.BYTES_PER_WORD * (16 if passages and passages.delete else 8),
        links=dedupe.memory // BYTES_PER_EDGE,
        memory=dedupe.memory,
    )


def _show(size: int) -> str:
    return f"{max(1, round(size / MEGABYTE)):,} MB"


def _count(ranges: int) -> str:
    return "1 range" if ranges == 1 else f"{ranges:,} ranges"
