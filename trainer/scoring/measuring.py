"""What one model makes of documents in its own ids: losses, entropies, losses in a short context.

Windows of about equal size are read together. What a target sees: `trainer.data.document_windows`.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from trainer.data.document_windows import (
    Windows,
    batch_windows,
    cut_windows,
    gather,
    place_windows,
    shift_right,
)
from trainer.scoring.carrier import Stream
from trainer.scoring.predictions import Predictions, disagree, predict
from weighting.arrays import Float32s, Float64s, Int64s


class ScoringModel(Protocol):
    """A model that only predicts."""

    @property
    def tokenizer(self) -> str | None:
        """SHA-256 of the tokenizer of its own; None: it reads the run's ids."""

    @property
    def context(self) -> int:
        """Tokens that it sees at most."""

    @property
    def device(self) -> str:
        """Where it computes: cpu or cuda."""

    @property
    def batch_tokens(self) -> int:
        """Tokens that it reads at once, padding included."""

    def read(self, inputs_BxT: Tensor, firsts_B: Tensor, cells_M: Tensor) -> Predictions:
        """Return the predictions at some places of the flat B x T inputs.

        `firsts_B` are the positions of the rows' first inputs.
        """


Floats = Float32s | Float64s  # the latter where they were carried


class Batch(NamedTuple):
    """Windows side by side, on the model's device, and where their M targets are in the text."""

    inputs_BxT: Tensor
    firsts_B: Tensor
    cells_M: Tensor
    targets_M: Tensor
    places_M: Int64s


class Measured(NamedTuple):
    """Of N targets, nats; None where it was not asked for."""

    nll_N: Floats
    entropy_N: Floats
    short_N: Floats | None  # loss in the short context
    disagreement_N: Floats | None  # with the second model


def measure(
    model: ScoringModel, stream: Stream, short: int = 0, second: ScoringModel | None = None
) -> Measured:
    """Return what a model makes of all tokens of a stream; `second` reads the same ids."""
    windows = cut_windows(stream.offsets_D1, model.context, stride_of(model.context))
    size = len(stream.ids_M)
    nll_N, entropy_N = np.empty(size, np.float32), np.empty(size, np.float32)
    disagreement_N = None if second is None else np.empty(size, np.float32)
    for batch in feed(model, windows, stream):
        predictions = model.read(batch.inputs_BxT, batch.firsts_B, batch.cells_M)
        nll_M, entropy_M = predict(predictions, batch.targets_M)
        nll_N[batch.places_M], entropy_N[batch.places_M] = _fetch(nll_M), _fetch(entropy_M)
        if second is not None and disagreement_N is not None:
            other = second.read(batch.inputs_BxT, batch.firsts_B, batch.cells_M)
            disagreement_N[batch.places_M] = _fetch(disagree(predictions, other))
    short_N = _measure_short(model, stream, windows, short, nll_N) if short else None
    return Measured(nll_N, entropy_N, short_N, disagreement_N)


def stride_of(context: int) -> int:
    """Return how far windows are apart: a target sees all before it, or half a context."""
    return max(1, context // 2)


def cut_short(offsets_D1: Int64s, short: int) -> Windows:
    """Return the windows of the short context, in which targets see `short` + 1 to 2 x `short`.

    The scheme is that of `trainer.objectives.short_context`. The first 2 x `short` targets of a
    document see the same in either context, and have none.
    """
    windows = cut_windows(offsets_D1, 2 * short, short)
    return windows.select(windows.skips_W > 0)


def feed(model: ScoringModel, windows: Windows, stream: Stream) -> Iterator[Batch]:
    """Yield the batches of some windows."""
    inputs_N = shift_right(stream.ids_M, stream.offsets_D1, stream.begin_id)
    targets_N = stream.ids_M.astype(np.int64)
    for part in batch_windows(windows, model.batch_tokens):
        inputs_BxT, cells_M, places_M = gather(part, inputs_N)
        arrays = (inputs_BxT, part.firsts_W, cells_M, targets_N[places_M])
        inputs, firsts, cells, targets = (torch.from_numpy(a).to(model.device) for a in arrays)
        yield Batch(inputs, firsts, cells, targets, places_M)


def _measure_short(
    model: ScoringModel, stream: Stream, long: Windows, short: int, nll_N: Float32s
) -> Float32s:
    windows = place_windows(cut_short(stream.offsets_D1, short), long, model.context)
    short_N = nll_N.copy()
    for batch in feed(model, windows, stream):
        predictions = model.read(batch.inputs_BxT, batch.firsts_B, batch.cells_M)
        short_N[batch.places_M] = _fetch(predict(predictions, batch.targets_M)[0])
    return short_N


def _fetch(values_M: Tensor) -> Float32s:
    return np.asarray(values_M.cpu().numpy())
