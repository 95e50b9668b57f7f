"""Batches of windows; the order is a pure function of seed, epoch and step.

What the windows are is decided by `trainer.data.packing`. Arms of a comparison that share data,
context, packing, batch and seed therefore see identical batches, and the only state a resume needs
is the step. Of every global batch, rank r of R takes windows r, r + R, r + 2R, and so on.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from trainer.data.corpus import Stream, expand
from trainer.data.packing import Packing, Pieces
from weighting.arrays import AnyArray, Float32s, Int64s

IGNORED = -100  # target id of padding, as in torch's cross entropy


@dataclass(frozen=True, eq=False)
class Batch:
    """B windows of T tokens.

    Ids are int64, weights float32 and those of the targets. Padding is at the end of a window:
    target IGNORED, weight 0. `documents_BxT` numbers the documents within a window; an input
    belongs to the document of its target, so the end-of-text before a document is part of it.
    """

    inputs_BxT: Tensor
    targets_BxT: Tensor
    weights_BxT: Tensor
    documents_BxT: Tensor | None  # only where documents are masked
    rows_B: Int64s  # numbers of the windows
    lengths_B: Int64s  # targets of each window that are not padding

    @property
    def targets(self) -> int:
        """Number of targets that are not padding."""
        return int(self.lengths_B.sum())

    def split(self, micro: int) -> list["Batch"]:
        """Return pieces of at most `micro` windows, views of this batch; the whole where 0."""
        if not micro:
            return [self]
        return [self._slice(at, at + micro) for at in range(0, len(self.rows_B), micro)]

    def pin(self) -> "Batch":
        """Return a copy in page-locked memory, from where a GPU fetches it by itself.

        Ids travel as int32. Nothing overwrites the copy while the GPU still reads it: torch's
        allocator gives out page-locked memory again when the copies from it are done.
        """
        return self._map_tensors(lambda tensor: _narrow(tensor).pin_memory())

    def to(self, device: str) -> "Batch":
        """Copy to `device`, without waiting where the batch is pinned; ids become int64 there."""
        return self._map_tensors(lambda tensor: _widen(tensor.to(device, non_blocking=True)))

    def _map_tensors(self, change: Callable[[Tensor], Tensor]) -> "Batch":
        documents = self.documents_BxT
        return replace(
            self,
            inputs_BxT=change(self.inputs_BxT),
            targets_BxT=change(self.targets_BxT),
            weights_BxT=change(self.weights_BxT),
            documents_BxT=None if documents is None else change(documents),
        )

    def _slice(self, first: int, stop: int) -> "Batch":
        cut = self._map_tensors(lambda tensor: tensor[first:stop])
        return replace(cut, rows_B=self.rows_B[first:stop], lengths_B=self.lengths_B[first:stop])


@dataclass(frozen=True, eq=False)
class Loader:
    """The batches of a training run: `load(step)` depends on nothing but these fields."""

    stream: Stream
    packing: Packing
    batch: int  # windows of a global batch
    seed: int
    rank: int = 0
    ranks: int = 1
    mask_documents: bool = False
    pinned: bool = False  # batches in page-locked memory, for a GPU

    def load(self, step: int) -> Batch:
        """Return this rank's windows of a step; epochs follow each other without a gap."""
        rows_B = self._draw(step)[self.rank :: self.ranks]
        batch = gather(self.stream, self.packing, rows_B, self.mask_documents)
        return batch.pin() if self.pinned else batch

    def targets(self, step: int) -> int:
        """Return the number of targets of a step over all ranks."""
        return int(self.packing.lengths[self._draw(step)].sum())

    def _draw(self, step: int) -> Int64s:
        return draw_windows(self.seed, step * self.batch, self.batch, self.packing.windows)


def draw_windows(seed: int, first: int, count: int, windows: int) -> Int64s:
    """Return entries first to first + count of the endless sequence of shuffled epochs."""
    at_B = np.arange(first, first + count)
    epochs_B = at_B // windows
    parts = [
        shuffle(seed, int(epoch), windows)[at_B[epochs_B == epoch] % windows]
        for epoch in np.unique(epochs_B)
    ]
    return np.concatenate(parts)


@lru_cache(maxsize=2)
def shuffle(seed: int, epoch: int, windows: int) -> Int64s:
    """Return the permutation of an epoch, from Philox keyed by seed and epoch.

    Sorts raw counter output, because NumPy promises that stream for ever and its shuffles not.
    """
    key = np.array([seed, epoch], np.uint64)
    return np.argsort(np.random.Philox(key=key).random_raw(windows), kind="stable")


def gather(stream: Stream, packing: Packing, rows_B: Int64s, mask_documents: bool = False) -> Batch:
    """Copy windows out of the memory-mapped stream."""
    shape = len(rows_B), packing.context
    pieces = packing.select(rows_B)
    targets, weights, before_P = _read(stream, pieces, shape)
    inputs = np.zeros(shape, np.int64)
    inputs[:, 1:] = targets[:, :-1]
    inputs.reshape(-1)[pieces.places_P] = before_P
    lengths_B = packing.lengths[rows_B]
    documents = _number_documents(stream, pieces, shape) if mask_documents else None
    return Batch(
        inputs_BxT=torch.from_numpy(inputs),
        targets_BxT=torch.from_numpy(_ignore_padding(targets, lengths_B)),
        weights_BxT=torch.from_numpy(weights),
        documents_BxT=None if documents is None else torch.from_numpy(documents),
        rows_B=rows_B,
        lengths_B=lengths_B,
    )


def _ignore_padding(targets_BxT: AnyArray, lengths_B: Int64s) -> Int64s:
    wide = targets_BxT.astype(np.int64)
    if int(lengths_B.min()) < wide.shape[1]:
        wide[np.arange(wide.shape[1]) >= lengths_B[:, None]] = IGNORED
    return wide


def _read(
    stream: Stream, pieces: Pieces, shape: tuple[int, int]
) -> tuple[AnyArray, Float32s, Int64s]:
    """Return ids as narrow as in the shards, weights, and the token before each piece."""
    ids = np.zeros(shape, stream.segments[0].ids_N.dtype)
    weights = np.zeros(shape, np.float32)
    flat_ids, flat_weights = ids.reshape(-1), weights.reshape(-1)
    piece_Q, segment_Q, start_Q, size_Q = stream.cut(pieces.starts_P, pieces.sizes_P)
    place_Q = pieces.places_P[piece_Q] + start_Q - pieces.starts_P[piece_Q]
    at_Q = start_Q - stream.starts_S1[segment_Q]
    before = []
    columns = (segment_Q, at_Q, size_Q, place_Q)
    for number, at, size, place in zip(*(column.tolist() for column in columns), strict=True):
        segment = stream.segments[number]
        flat_ids[place : place + size] = segment.ids_N[at : at + size]
        flat_weights[place : place + size] = segment.weights_N[at : at + size]
        before.append(segment.ids_N[at - 1] if at else stream.before_S[number])
    firsts_P = np.searchsorted(piece_Q, np.arange(len(pieces.starts_P)))
    return ids, weights, np.array(before, np.int64)[firsts_P]


def _number_documents(stream: Stream, pieces: Pieces, shape: tuple[int, int]) -> Int64s:
    """Return the number within its window of each target's document; padding joins the last."""
    starts_P, sizes_P, places_P = pieces
    documents_D1 = stream.documents_D1
    first_P = np.searchsorted(documents_D1, starts_P, side="right")
    last_P = np.searchsorted(documents_D1, starts_P + sizes_P, side="left")
    piece_Q, document_Q = expand(first_P, last_P - first_P)
    begins = np.zeros(shape, np.int64)
    flat = begins.reshape(-1)
    flat[places_P] = 1
    flat[places_P[piece_Q] + documents_D1[document_Q] - starts_P[piece_Q]] = 1
    return np.cumsum(begins, axis=1)


def _narrow(tensor: Tensor) -> Tensor:
    return tensor if tensor.is_floating_point() else tensor.int()


def _widen(tensor: Tensor) -> Tensor:
    return tensor if tensor.is_floating_point() else tensor.long()
