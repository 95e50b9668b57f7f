"""What predictions say of their targets, from hidden states, without all logits at once.

Logits exist a tile at a time, of few targets and few types, which stays in the cache of a CPU. Some
models of others do more to their logits than one product (a cap, a bias): theirs come whole.
"""

from typing import NamedTuple, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

# Tokens that a model sees at once, padding included: few fit into a cache, many keep a GPU busy.
BATCH_TOKENS = {"cpu": 2048, "cuda": 65536}
# Targets and types of a tile, by device: few fit into a cache, many keep a GPU busy.
TILES = {"cpu": (512, 1024), "cuda": (4096, 32768)}


class Predictions(Protocol):
    """The logits of M targets over V types, asked for in parts."""

    @property
    def size(self) -> int:
        """M."""

    @property
    def types(self) -> int:
        """V."""

    def tile(self, rows: slice, types: slice) -> Tensor:
        """Return the logits of some of the targets and types, float32 at least."""


class Readout(NamedTuple):
    """Hidden states of M targets and the head that makes logits of them, in one dtype."""

    hidden_MxC: Tensor
    head_VxC: Tensor

    @property
    def size(self) -> int:
        """M."""
        return len(self.hidden_MxC)

    @property
    def types(self) -> int:
        """V."""
        return len(self.head_VxC)

    def tile(self, rows: slice, types: slice) -> Tensor:
        """Return the logits of some of the targets and types, float32 at least."""
        return _widen(F.linear(self.hidden_MxC[rows], self.head_VxC[types]))


class WholeLogits(NamedTuple):
    """The logits of M targets as their model gave them."""

    logits_MxV: Tensor

    @property
    def size(self) -> int:
        """M."""
        return len(self.logits_MxV)

    @property
    def types(self) -> int:
        """V."""
        return self.logits_MxV.shape[1]

    def tile(self, rows: slice, types: slice) -> Tensor:
        """Return the logits of some of the targets and types, float32 at least."""
        return _widen(self.logits_MxV[rows, types])


def predict(predictions: Predictions, targets_M: Tensor) -> tuple[Tensor, Tensor]:
    """Return nll_M of the targets and entropy_M of the predictions, nats, float32."""
    rows, types = TILES[targets_M.device.type]
    parts = [
        _predict_rows(predictions, slice(first, first + rows), targets_M, types)
        for first in range(0, max(1, len(targets_M)), rows)
    ]
    nll_M, entropy_M = (torch.cat(part) for part in zip(*parts, strict=True))
    return nll_M, entropy_M


def disagree(first: Predictions, second: Predictions) -> Tensor:
    """Return disagreement_M of two models' predictions in nats, float32.

    The entropy of their mean less the mean of their entropies: what a target tells on which of the
    two is right. BALD, Houlsby et al. 2011 (arXiv 1112.5745). From 0 to log 2. Where one model has
    more types than the other, the other gives them probability 0.
    """
    rows, columns = TILES[first.tile(slice(0), slice(0)).device.type]
    size = max(1, rows * columns // max(first.types, second.types))
    every = slice(None)
    parts = [
        _compare(first.tile(slice(at, at + size), every), second.tile(slice(at, at + size), every))
        for at in range(0, first.size, size)
    ]
    return torch.cat(parts)


def _predict_rows(
    predictions: Predictions, rows: slice, targets_M: Tensor, types: int
) -> tuple[Tensor, Tensor]:
    """Put together what the tiles of a few targets say: J tiles, weighed by their probability."""
    tiles, targets_K = [], targets_M[rows]
    chosen_K = torch.zeros(len(targets_K), device=targets_K.device)
    for first in range(0, predictions.types, types):
        logits_KxT = predictions.tile(rows, slice(first, first + types))
        inside_K = (targets_K - first).clamp(0, logits_KxT.shape[1] - 1)
        found_K = logits_KxT.gather(1, inside_K[:, None])[:, 0]
        chosen_K = torch.where(inside_K + first == targets_K, found_K, chosen_K)
        tiles.append(_summarise(logits_KxT))
    sums_KxJ, means_KxJ = (torch.stack(part, 1) for part in zip(*tiles, strict=True))
    sum_K = sums_KxJ.logsumexp(1)
    # Differences first: products of shares with large logits would lose the small rest.
    entropy_K = (sums_KxJ.softmax(1) * (sum_K[:, None] - means_KxJ)).sum(1)
    # Neither is below 0 but by rounding.
    return (sum_K - chosen_K).clamp_min(0), entropy_K.clamp_min(0)


def _summarise(logits_KxT: Tensor) -> tuple[Tensor, Tensor]:
    """Return log sum exp of a tile's logits, and their mean under its softmax."""
    shares_KxT = logits_KxT.softmax(1)
    # Of the largest logit, whose share is at least 1 / T: a pass less than logsumexp takes.
    sum_K = logits_KxT.amax(1) - shares_KxT.amax(1).log()
    return sum_K, torch.linalg.vecdot(shares_KxT, logits_KxT)


def _compare(logits_KxV: Tensor, logits_KxU: Tensor) -> Tensor:
    p, q = logits_KxV.softmax(1), logits_KxU.softmax(1)
    missing = p.shape[1] - q.shape[1]
    p, q = F.pad(p, (0, max(0, -missing))), F.pad(q, (0, max(0, missing)))
    of_mean, of_p, of_q = (torch.special.entr(shares) for shares in ((p + q) / 2, p, q))
    # Type by type, where no term is below 0 but by rounding, and all are exactly 0 where p = q.
    terms: Tensor = of_mean - (of_p + of_q) / 2
    return terms.sum(1).clamp_min(0)


def _widen(logits: Tensor) -> Tensor:
    return logits.to(torch.promote_types(logits.dtype, torch.float32))
