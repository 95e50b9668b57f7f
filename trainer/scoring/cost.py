"""What scoring costs, told before it begins: forward passes a token, and the machine's own speed.

A pass is one token read once. A document that fits into a model's context takes one a token, a
longer one up to two: windows overlap, so that every target sees at least half a context. The short
context takes up to two more, of windows that are short. A model takes part in several signals, so
costs are by model, not by signal.
"""

from time import perf_counter
from typing import NamedTuple

import numpy as np
import torch

from trainer.data.document_windows import cut_windows
from trainer.scoring.measuring import cut_short, stride_of
from trainer.scoring.models import AnyModel, Models
from trainer.scoring.predictions import BATCH_TOKENS, predict
from weighting.arrays import Int64s

LEAST_SECONDS = 1.0  # that a probe takes, after a first batch that is not timed
PROBED = 512  # tokens of its windows
COMPARED = ("excess", "change")


class Passes(NamedTuple):
    """What one model, or the checkpoints of one run, read, and for which signals."""

    model: str
    signals: tuple[str, ...]
    passes: float  # forward passes for each token of the documents
    speed: float  # passes a second of one process

    def seconds(self, tokens: int, workers: int) -> float:
        """Return how long so many tokens will take."""
        return self.passes * tokens / (self.speed * workers)


def count_passes(context: int, sizes_D: Int64s, short: int = 0) -> float:
    """Return how often a token of D documents is read on average, the short context's windows too.

    Sizes are in tokens of the model.
    """
    offsets_D1 = np.concatenate([[0], np.cumsum(sizes_D)])
    windows = cut_windows(offsets_D1, context, stride_of(context))
    parts = [windows, cut_short(offsets_D1, short)] if short else [windows]
    return float(sum(part.sizes_W.sum() for part in parts) / max(1, offsets_D1[-1]))


def plan_passes(models: Models, sizes_D: Int64s) -> list[Passes]:
    """Return what each model will read of D documents, given their tokens, and how fast it does."""
    wanted, short = models.settings, models.settings.short
    gain = ("context_gain",) if short else ()
    passes = [_plan(wanted.reference, models.reference, ("nll", "entropy", *gain), sizes_D, short)]
    if wanted.earlier:
        named = zip(wanted.earlier, models.earlier, strict=True)
        passes += [_plan(name, one, COMPARED, sizes_D) for name, one in named]
    elif models.earlier:  # of one size, and so of one speed
        oldest = _plan(f"{len(models.earlier)} checkpoints", models.earlier[0], COMPARED, sizes_D)
        passes.append(oldest._replace(passes=len(models.earlier) * oldest.passes))
    if models.second is not None:
        passes.append(_plan(str(wanted.second), models.second, ("disagreement",), sizes_D))
    return passes


def _plan(
    name: str, model: AnyModel, signals: tuple[str, ...], sizes_D: Int64s, short: int = 0
) -> Passes:
    passes = count_passes(model.context, sizes_D, short)
    return Passes(name, signals, passes, probe(model))


@torch.inference_mode()
def probe(model: AnyModel) -> float:
    """Return how many tokens a second a model reads here, in this process, losses included."""
    size = min(model.context, model.batch_tokens, PROBED)
    rows = max(1, min(model.batch_tokens, BATCH_TOKENS[model.device]) // size)
    ids_BxT = (torch.arange(rows * size, device=model.device) % model.types).view(rows, size)
    cells_M, firsts_B = torch.arange(rows * size, device=model.device), ids_BxT[:, 0] * 0

    def read() -> float:
        nll_M, _ = predict(model.read(ids_BxT, firsts_B, cells_M), ids_BxT.flatten())
        return float(nll_M.sum())  # which waits for a GPU

    read()  # what is compiled, allocated and looked up once
    began, times = perf_counter(), 0
    while not times or perf_counter() < began + LEAST_SECONDS:
        read()
        times += 1
    return times * rows * size / (perf_counter() - began)
