"""What an objective is given, and what objectives are built from."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from trainer.config.schema import ObjectiveConfig
from trainer.data.loader import IGNORED
from trainer.machine.process_group import ALONE, Ranks
from trainer.objectives.type_statistics import TypeStatistics


@dataclass(frozen=True)
class Tokens:
    """What is known of the targets of a batch, or of this process's part of one, BxT each.

    `nll_BxT` carries the gradient and is 0 at padding. What an objective does not read
    (`Objective.reads`) may be None.
    """

    nll_BxT: Tensor
    targets_BxT: Tensor  # ids; IGNORED at padding
    weights_BxT: Tensor  # of the shards
    count: int  # targets of the global batch
    settings: ObjectiveConfig
    entropy_BxT: Tensor | None = None  # of the model's predictions, nats
    reference_BxT: Tensor | None = None  # loss under the frozen reference, nats
    short_BxT: Tensor | None = None  # loss in the short context, nats
    types: TypeStatistics | None = None
    ranks: Ranks = ALONE

    @property
    def live_BxT(self) -> Tensor:
        """True at targets, False at padding."""
        return self.targets_BxT != IGNORED


def scale(raw_BxT: Tensor, tokens: Tokens) -> Tensor:
    """Return weights, 0 at padding, in proportion to `raw_BxT`, with mean 1 over the global batch.

    All are 0 where all of `raw_BxT` are.
    """
    live_BxT = torch.where(tokens.live_BxT, raw_BxT, 0.0)
    total = tokens.ranks.sum(live_BxT.sum())
    return live_BxT * (tokens.count / total.clamp_min(1e-30))


def top(scores_BxT: Tensor, share: float, tokens: Tokens) -> Tensor:
    """Return 1 at the highest `share` of the scores of the global batch, 0 at the others.

    The sum is share x count, exactly: the scores at the border, more than one if they are equal,
    get equal parts of what is left. So nothing depends on the order of tokens or processes.
    """
    scores_BxT = torch.where(tokens.live_BxT, scores_BxT, -torch.inf)
    all_N = tokens.ranks.gather(scores_BxT.flatten())
    wanted = share * tokens.count
    border = all_N.sort(descending=True).values[math.ceil(wanted) - 1]
    part = (wanted - (all_N > border).sum().double()) / (all_N == border).sum()
    above_BxT = (scores_BxT > border).to(scores_BxT.dtype)
    return torch.where(scores_BxT == border, part.to(scores_BxT.dtype), above_BxT)


def token_nll(logits_BxTxV: Tensor, targets_BxT: Tensor) -> Tensor:
    """Return nll_BxT, the loss of every target in nats (float32), 0 at padding."""
    nll_N = F.cross_entropy(
        logits_BxTxV.flatten(0, 1).float(),
        targets_BxT.flatten(),
        reduction="none",
        ignore_index=IGNORED,
    )
    return nll_N.view_as(targets_BxT)


@torch.no_grad()
def token_entropy(logits_BxTxV: Tensor) -> Tensor:
    """Return entropy_BxT of the predictions in nats (float32), padding included, no gradient."""
    entropies_BxTxV: Tensor = torch.special.entr(logits_BxTxV.float().softmax(-1))
    return entropies_BxTxV.sum(-1)
