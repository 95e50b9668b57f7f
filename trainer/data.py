"""Batches of windows from a stream of tokens; the order is a pure function of seed and step.

Window i reads the stream at i T to i T + T inclusive: its first T tokens are inputs, its last T
are targets. So every token but the stream's first is a target exactly once. The last window is
padded, and its padding targets count for nothing.

Arms of a comparison that share data, context, batch and seed therefore see identical batches, and
the only state a resume needs is the step.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from trainer.corpus import Stream

IGNORED = -100  # target id of padding, as in torch's cross entropy


@dataclass(frozen=True)
class Batch:
    """B windows of T tokens. `weights_BxT` (float32) belong to the targets; padding weighs 0."""

    inputs_BxT: Tensor
    targets_BxT: Tensor
    weights_BxT: Tensor
    windows_B: npt.NDArray[np.int64]
    targets: int  # number of targets that are not padding

    def to(self, device: str) -> "Batch":
        """Copy the tensors to `device`, on CUDA without waiting for the copy."""
        if device == "cpu":
            return self

        def move(tensor: Tensor) -> Tensor:
            return tensor.pin_memory().to(device, non_blocking=True)

        return replace(
            self,
            inputs_BxT=move(self.inputs_BxT),
            targets_BxT=move(self.targets_BxT),
            weights_BxT=move(self.weights_BxT),
        )


@dataclass(frozen=True)
class Loader:
    """The batches of a training run: `load(step)` depends on nothing but these fields."""

    stream: Stream
    context: int
    batch: int
    seed: int

    def load(self, step: int) -> Batch:
        """Return the batch of a step; epochs follow each other without a gap."""
        first = step * self.batch
        windows_B = draw_windows(
            self.seed, first, self.batch, count_windows(self.stream, self.context)
        )
        return gather(self.stream, windows_B, self.context)


def count_windows(stream: Stream, context: int) -> int:
    """Return how many windows of `context` targets cover a stream."""
    return -(-(stream.tokens - 1) // context)


def draw_windows(seed: int, first: int, count: int, windows: int) -> npt.NDArray[np.int64]:
    """Return entries first to first + count of the endless sequence of shuffled epochs."""
    at_B = np.arange(first, first + count)
    epochs_B = at_B // windows
    parts = [
        shuffle(seed, int(epoch), windows)[at_B[epochs_B == epoch] % windows]
        for epoch in np.unique(epochs_B)
    ]
    return np.concatenate(parts)


@lru_cache(maxsize=2)
def shuffle(seed: int, epoch: int, windows: int) -> npt.NDArray[np.int64]:
    """Return the permutation of an epoch, from Philox keyed by seed and epoch.

    Sorts raw counter output, because NumPy promises that stream for ever and its shuffles not.
    """
    key = np.array([seed, epoch], np.uint64)
    return np.argsort(np.random.Philox(key=key).random_raw(windows), kind="stable")


def gather(stream: Stream, windows_B: npt.NDArray[np.int64], context: int) -> Batch:
    """Copy windows out of the memory-mapped stream."""
    ids = np.zeros((len(windows_B), context + 1), np.int64)
    weights = np.zeros((len(windows_B), context + 1), np.float32)
    starts_B = windows_B * context
    stops_B = np.minimum(starts_B + context + 1, stream.tokens)
    for row, (start, stop) in enumerate(zip(starts_B.tolist(), stops_B.tolist(), strict=True)):
        for place, segment, source in stream.pieces(start, stop):
            ids[row, place] = segment.ids_N[source]
            weights[row, place] = segment.weights_N[source]
    lengths_B = stops_B - starts_B - 1
    targets_BxT = np.where(np.arange(context) < lengths_B[:, None], ids[:, 1:], IGNORED)
    return Batch(
        inputs_BxT=torch.from_numpy(ids[:, :-1].copy()),
        targets_BxT=torch.from_numpy(targets_BxT),
        weights_BxT=torch.from_numpy(weights[:, 1:].copy()),
        windows_B=windows_B,
        targets=int(lengths_B.sum()),
    )
