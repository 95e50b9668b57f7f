"""A corpus of memory-mapped shards: each split is one stream of tokens, end to end.

The stream of a split is every segment of every shard in order of file name. How the tokens are
cut into files and record batches leaves no trace in it.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from weighting.errors import AssayError
from weighting.mass import effective_share
from weighting.shards import Segment, Shard, ShardInfo, open_shard

SPLITS = ("train", "validation")


@dataclass(frozen=True)
class Stream:
    """N tokens in S segments. `starts_S1` (S + 1 entries) holds each segment's first position."""

    segments: tuple[Segment, ...]
    paths: tuple[Path, ...]  # the shard of each segment
    starts_S1: npt.NDArray[np.int64]

    @property
    def tokens(self) -> int:
        """N."""
        return int(self.starts_S1[-1])

    def pieces(self, start: int, stop: int) -> Iterator[tuple[slice, Segment, slice]]:
        """Cut the positions start to stop where segments end.

        Yields where a piece lies in the cut-out, its segment, and where it lies in the segment.
        """
        at, number = start, self._segment_of(start)
        while at < stop:
            first, last = int(self.starts_S1[number]), int(self.starts_S1[number + 1])
            end = min(stop, last)
            yield (
                slice(at - start, end - start),
                self.segments[number],
                slice(at - first, end - first),
            )
            at, number = end, number + 1

    def locate(self, position: int) -> tuple[Path, str]:
        """Return the shard and the document id of the token at `position`."""
        number = self._segment_of(position)
        segment, offset = self.segments[number], position - self.starts_S1[number]
        row = int(np.searchsorted(segment.offsets_D1, offset, side="right")) - 1
        return self.paths[number], segment.doc_ids[row].as_py()

    def _segment_of(self, position: int) -> int:
        return int(np.searchsorted(self.starts_S1, position, side="right")) - 1


@dataclass(frozen=True)
class Corpus:
    """The two splits of a folder of shards, and what the shards say of themselves."""

    info: ShardInfo
    train: Stream
    validation: Stream

    @cached_property
    def target_counts_V(self) -> npt.NDArray[np.int64]:
        """How often each type is a target in the training split."""
        counts_V = np.zeros(self.info.vocab_size, np.int64)
        for segment in self.train.segments:
            counts_V += np.bincount(segment.ids_N, minlength=len(counts_V))
        counts_V[self.train.segments[0].ids_N[0]] -= 1  # nothing predicts the first token
        return counts_V

    @cached_property
    def weight_spread(self) -> tuple[float, bool]:
        """Effective share of the training tokens, (sum w)^2 / (n sum w^2), and: are all w equal."""
        mass, squares, first = 0.0, 0.0, self.train.segments[0].weights_N[0]
        uniform = True
        for segment in self.train.segments:
            weights_N = segment.weights_N
            mass += float(weights_N.sum(dtype=np.float64))
            squares += float(np.square(weights_N, dtype=np.float64).sum())
            uniform = uniform and bool((weights_N == first).all())
        return effective_share(mass, squares, self.train.tokens), uniform

    @cached_property
    def fingerprint(self) -> dict[str, Any]:
        """What makes two corpora the same data, however they are cut into files."""
        return {
            "tokenizer_sha256": self.info.tokenizer_sha256,
            "vocab_size": self.info.vocab_size,
            "train_tokens": self.train.tokens,
            "train_ids_crc32": _checksum(self.train, "ids_N"),
            "train_weights_crc32": _checksum(self.train, "weights_N"),
            "validation_tokens": self.validation.tokens,
            "validation_ids_crc32": _checksum(self.validation, "ids_N"),
        }


def open_corpus(shards: str) -> Corpus:
    """Memory-map every shard of a folder and check that they belong together.

    Raises:
        AssayError: no shards, an empty split, or shards of different tokenizers.
        BrokenContract: a shard breaks its contract.
    """
    if not shards:
        raise AssayError("shards: no folder given; give one with train-*.arrow files (--shards)")
    folder = Path(shards)
    opened = [open_shard(path) for path in sorted(folder.glob("*.arrow"))]
    if not opened:
        raise AssayError(f"{folder}: no shards here; give a folder with train-*.arrow files")
    for shard in opened:
        _check_tokenizer(opened[0], shard)
    train, validation = (_join(folder, split, opened) for split in SPLITS)
    return Corpus(opened[0].info, train, validation)


def _check_tokenizer(first: Shard, other: Shard) -> None:
    for name in ("tokenizer_sha256", "vocab_size"):
        wanted, got = getattr(first.info, name), getattr(other.info, name)
        if wanted != got:
            raise AssayError(
                f"{other.path}: {name} is {got}, but {wanted} in {first.path.name}; "
                "shards of one corpus share one tokenizer"
            )


def _join(folder: Path, split: str, shards: Sequence[Shard]) -> Stream:
    pairs = [
        (segment, shard.path)
        for shard in shards
        if shard.info.split == split
        for segment in shard.segments
        if len(segment.ids_N)
    ]
    starts_S1 = np.cumsum([0, *(len(segment.ids_N) for segment, _ in pairs)], dtype=np.int64)
    # One token has no target.
    if starts_S1[-1] < 2:
        raise AssayError(f"{folder}: empty {split} split; it needs at least two tokens")
    return Stream(tuple(s for s, _ in pairs), tuple(p for _, p in pairs), starts_S1)


def _checksum(stream: Stream, column: str) -> int:
    value = 0
    for segment in stream.segments:
        value = zlib.crc32(np.ascontiguousarray(getattr(segment, column)).data, value)
    return value
