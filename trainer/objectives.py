"""Objectives: how the losses of a batch's tokens become the one number that is minimised.

An objective sums over tokens and divides by the number of targets, padding left out. The weights
average 1 over the training split, so all objectives share one scale, and with it one learning
rate; a batch that holds more weight than its tokens pulls harder, as it should.
"""

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional as F

from trainer.data import IGNORED

# (nll_BxT, weights_BxT, number of targets) -> loss; nll and weights are 0 at padding.
Objective = Callable[[Tensor, Tensor, int], Tensor]


def plain(nll_BxT: Tensor, weights_BxT: Tensor, targets: int) -> Tensor:  # noqa: ARG001
    """Return the mean negative log-likelihood of the targets, in nats."""
    return nll_BxT.sum() / targets


def weighted(nll_BxT: Tensor, weights_BxT: Tensor, targets: int) -> Tensor:
    """Return the same mean with each target's loss times its weight."""
    return (nll_BxT * weights_BxT).sum() / targets


OBJECTIVES: dict[str, Objective] = {"plain": plain, "weighted": weighted}
READS_WEIGHTS = frozenset({"weighted"})


def token_nll(logits_BxTxV: Tensor, targets_BxT: Tensor) -> Tensor:
    """Return nll_BxT, the loss of every target in nats (float32), 0 at padding."""
    nll_N = F.cross_entropy(
        logits_BxTxV.flatten(0, 1).float(),
        targets_BxT.flatten(),
        reduction="none",
        ignore_index=IGNORED,
    )
    return nll_N.view_as(targets_BxT)


def effective_share(weights_BxT: Tensor, targets: int) -> Tensor:
    """Return (sum w)^2 / (n sum w^2): the share of the targets that equal weights would need.

    Kish's effective sample size over n. 1 where all weights are equal; 0 where all are 0.
    """
    squares = weights_BxT.square().sum()
    return weights_BxT.sum().square() / (targets * squares).clamp_min(1e-30)
