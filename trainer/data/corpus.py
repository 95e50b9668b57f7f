"""A corpus of memory-mapped shards: each split is one stream of tokens, end to end.

The stream of a split is every segment of every shard in order of file name. How the tokens are
cut into files and record batches leaves no trace in it.
"""

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from trainer.data.halves import choose_half
from trainer.data.repeats import find_leak
from weighting.arrays import AnyArray, Int64s
from weighting.contracts.shard_files import list_shards
from weighting.contracts.shards import Segment, Shard, ShardInfo, open_shard
from weighting.contracts.splits import SPLITS, TRAIN, VALIDATION, WHOLE
from weighting.errors import AssayError
from weighting.policies.effective_sample import effective_share

REMEDIES = {
    TRAIN: "it takes train-* files that hold a token",
    VALIDATION: "it takes validation-* files that hold a token; `assay curate` writes them where "
    "split.validation is above 0 in its recipe",
}


@dataclass(frozen=True)
class Stream:
    """N tokens in S segments. `starts_S1` (S + 1 entries) holds each segment's first position."""

    segments: tuple[Segment, ...]
    paths: tuple[Path, ...]  # the shard of each segment
    starts_S1: Int64s
    eos_id: int  # ends a document, and comes before the stream's first token

    @property
    def tokens(self) -> int:
        """N."""
        return int(self.starts_S1[-1])

    @property
    def parts(self) -> list[tuple[Segment, Path]]:
        """Each segment with its shard."""
        return list(zip(self.segments, self.paths, strict=True))

    @cached_property
    def documents_D1(self) -> Int64s:
        """First position of each of the D documents that are not empty, and N."""
        parts = [
            start + segment.offsets_D1[:-1][np.diff(segment.offsets_D1) > 0]
            for start, segment in zip(self.starts_S1, self.segments, strict=False)
        ]
        return np.concatenate([*parts, self.starts_S1[-1:]])

    @cached_property
    def before_S(self) -> tuple[int, ...]:
        """The token before each segment's first."""
        return (self.eos_id, *(int(segment.ids_N[-1]) for segment in self.segments[:-1]))

    def cut(self, starts_P: Int64s, sizes_P: Int64s) -> tuple[Int64s, Int64s, Int64s, Int64s]:
        """Cut P pieces of the stream where segments end, into Q parts.

        Returns, for each part: its piece, its segment, its first position in the stream, its size.
        """
        stops_P = starts_P + sizes_P
        first_P = np.searchsorted(self.starts_S1, starts_P, side="right") - 1
        last_P = np.searchsorted(self.starts_S1, stops_P, side="left")
        piece_Q, segment_Q = expand(first_P, last_P - first_P)
        start_Q = np.maximum(starts_P[piece_Q], self.starts_S1[segment_Q])
        stop_Q = np.minimum(stops_P[piece_Q], self.starts_S1[segment_Q + 1])
        return piece_Q, segment_Q, start_Q, stop_Q - start_Q

    def locate(self, position: int) -> tuple[Path, str]:
        """Return the shard and the document id of the token at `position`."""
        number = int(np.searchsorted(self.starts_S1, position, side="right")) - 1
        segment, offset = self.segments[number], position - self.starts_S1[number]
        row = int(np.searchsorted(segment.offsets_D1, offset, side="right")) - 1
        return self.paths[number], segment.doc_ids[row].as_py()


def expand(firsts_P: Int64s, counts_P: Int64s) -> tuple[Int64s, Int64s]:
    """Return the numbers first to first + count of each range, and the range of each number.

    The range comes first: expand([7, 3], [2, 1]) is ([0, 0, 1], [7, 8, 3]).
    """
    owner_Q = np.repeat(np.arange(len(counts_P)), counts_P)
    shift_P = firsts_P - (np.cumsum(counts_P) - counts_P)
    return owner_Q, np.arange(len(owner_Q)) + shift_P[owner_Q]


@dataclass(frozen=True)
class DataFingerprint:
    """What makes the data of two runs the same, however it is cut into files."""

    tokenizer_sha256: str
    vocab_size: int
    eos_id: int
    train_tokens: int
    train_documents_crc32: int
    train_ids_crc32: int
    train_weights_crc32: int
    validation_tokens: int
    validation_documents_crc32: int
    validation_ids_crc32: int
    reference_sha256: str | None = None  # of the parameters of the run's reference model

    def same_ids(self, info: ShardInfo) -> bool:
        """Say whether shards have the same tokenizer, and documents that end with the same id."""
        return (self.tokenizer_sha256, self.eos_id) == (info.tokenizer_sha256, info.eos_id)

    def same_training(self, corpus: "Corpus") -> bool:
        """Say whether a corpus has the same tokens to train on, whatever they weigh."""
        theirs = (corpus.train.tokens, _checksum_ids(corpus.train))
        return theirs == (self.train_tokens, self.train_ids_crc32)

    def same_validation(self, corpus: "Corpus") -> bool:
        """Say whether a corpus has the same documents to evaluate on."""
        stream = corpus.validation
        theirs = (stream.tokens, _checksum([stream.documents_D1]), _checksum_ids(stream))
        ours = (
            self.validation_tokens,
            self.validation_documents_crc32,
            self.validation_ids_crc32,
        )
        return self.same_ids(corpus.info) and ours == theirs


@dataclass(frozen=True)
class Corpus:
    """The two splits of a folder of shards, and what the shards say of themselves."""

    info: ShardInfo
    train: Stream
    validation: Stream

    @cached_property
    def target_counts_V(self) -> Int64s:
        """How often each type is a target in the training split."""
        counts_V = np.zeros(self.info.vocab_size, np.int64)
        for segment in self.train.segments:
            counts_V += np.bincount(segment.ids_N, minlength=len(counts_V))
        return counts_V

    @property
    def streams(self) -> Mapping[str, Stream]:
        """Both splits by name."""
        return {TRAIN: self.train, VALIDATION: self.validation}

    @cached_property
    def weight_means(self) -> Mapping[str, float]:
        """The mean weight of each split: 1 in shards that assay wrote."""
        return {
            split: sum(float(s.weights_N.sum(dtype=np.float64)) for s in stream.segments)
            / stream.tokens
            for split, stream in self.streams.items()
        }

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
    def fingerprint(self) -> DataFingerprint:
        """What two corpora of the same data have in common."""
        return DataFingerprint(
            tokenizer_sha256=self.info.tokenizer_sha256,
            vocab_size=self.info.vocab_size,
            eos_id=self.info.eos_id,
            train_tokens=self.train.tokens,
            train_documents_crc32=_checksum([self.train.documents_D1]),
            train_ids_crc32=_checksum_ids(self.train),
            train_weights_crc32=_checksum(s.weights_N for s in self.train.segments),
            validation_tokens=self.validation.tokens,
            validation_documents_crc32=_checksum([self.validation.documents_D1]),
            validation_ids_crc32=_checksum_ids(self.validation),
        )


def open_corpus(shards: str, half: str = WHOLE) -> Corpus:
    """Open every shard of a folder and check that they belong together.

    Of the train split only the documents of a half are in the corpus, where one is asked for.

    Raises:
        AssayError: no shards, an empty split or half, shards of different tokenizers, or training
            weights that are all 0.
        BrokenContract: a shard breaks its contract.
    """
    if not shards:
        raise AssayError("shards: no folder given; give one with train-*.arrow files (--shards)")
    folder = Path(shards)
    opened = [open_shard(path) for path in list_shards(folder)]
    if not opened:
        raise AssayError(f"{folder}: no shards here; give a folder with train-*.arrow files")
    for shard in opened:
        _check_tokenizer(opened[0], shard)
    _check_copies(opened)
    train, validation = (_join(folder, split, opened) for split in SPLITS)
    _check_apart(train, validation)
    if half != WHOLE:
        train = _join(folder, TRAIN, opened, half)
    if not any(segment.weights_N.any() for segment in train.segments):
        raise AssayError(f"{folder}: all training weights are 0, so there is nothing to learn")
    return Corpus(opened[0].info, train, validation)


def _check_copies(shards: Sequence[Shard]) -> None:
    """Raise AssayError where two files hold the same tokens, which would count twice."""
    seen: dict[tuple[str, int, int], Path] = {}
    sizes = Counter((shard.info.split, shard.tokens) for shard in shards)
    for shard in shards:
        size = shard.info.split, shard.tokens
        if shard.tokens and sizes[size] > 1:
            key = (*size, _checksum(segment.ids_N for segment in shard.segments))
            first = seen.setdefault(key, shard.path)
            if first != shard.path:
                raise AssayError(
                    f"{shard.path}: holds the same tokens as {first.name}, which would count "
                    "twice; take one of them away"
                )


def _check_apart(train: Stream, validation: Stream) -> None:
    if (found := find_leak(train.parts, validation.parts)) is not None:
        one, other = found
        raise AssayError(
            f"{one.path.parent}: document {one.doc_id} is in both splits, in {one.path.name} and "
            f"{other.path.name}; a loss on what was trained on says nothing"
        )


def _check_tokenizer(first: Shard, other: Shard) -> None:
    info = other.info
    for name in ("tokenizer_sha256", "vocab_size", "eos_id"):
        wanted, got = getattr(first.info, name), getattr(info, name)
        if wanted != got:
            raise AssayError(
                f"{other.path}: {name} is {got}, but {wanted} in {first.path.name}; "
                "shards of one corpus share one tokenizer"
            )


def _join(folder: Path, split: str, shards: Sequence[Shard], half: str = WHOLE) -> Stream:
    pairs = [
        (segment, shard.path)
        for shard in shards
        if shard.info.split == split
        for segment in choose_half(shard, half)
        if len(segment.ids_N)
    ]
    if not pairs and half != WHOLE:
        raise AssayError(f"{folder}: no {split} document is of half {half}; leave out half")
    if not pairs:
        raise AssayError(f"{folder}: empty {split} split; {REMEDIES[split]}")
    starts_S1 = np.cumsum([0, *(len(segment.ids_N) for segment, _ in pairs)], dtype=np.int64)
    segments, paths = zip(*pairs, strict=True)
    return Stream(segments, paths, starts_S1, shards[0].info.eos_id)


def _checksum_ids(stream: Stream) -> int:
    return _checksum(segment.ids_N for segment in stream.segments)


def _checksum(arrays: Iterable[AnyArray]) -> int:
    value = 0
    for array in arrays:
        value = zlib.crc32(np.ascontiguousarray(array).data, value)
    return value
