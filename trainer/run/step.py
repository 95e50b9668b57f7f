"""One update: the gradient of a global batch, clipped, applied once, the same on every process."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from trainer.data.loader import Batch
from trainer.machine.process_group import Ranks
from trainer.objectives.losses import Losses, LossFunction
from trainer.run.optim import lr_at, set_lr
from trainer.run.state import State
from weighting.arrays import Int64s
from weighting.policies.effective_sample import effective_share


@dataclass(frozen=True)
class Update:
    """What one update measured, still on the device: reading a number waits for it."""

    step: int  # updates done, this one included
    rows_B: Int64s  # windows of this process
    nll_BxT: Tensor
    count: int  # targets of the global batch
    sums_6: Tensor  # over the global batch, see `_score`

    def read(self) -> "Scores":
        """Wait for the device and return the numbers."""
        loss, nll, mass, squares, stops, norm = self.sums_6.tolist()
        share = effective_share(mass, squares, self.count)
        return Scores(loss / self.count, nll / self.count, norm, share, stops)


@dataclass(frozen=True)
class Scores:
    """What is logged of an update, over the global batch."""

    loss: float  # what was minimised
    nll: float  # mean over targets, unweighted
    norm: float  # of the gradient, before clipping
    share: float  # effective share of the targets: (sum w)^2 / (n sum w^2), w = term / nll
    stop: float  # processes that were asked to stop


def update(
    state: State,
    batch: Batch,
    count: int,
    compute: LossFunction,
    *,
    stop: bool = False,
) -> Update:
    """Do one update on this process's part of a global batch of `count` targets.

    `stop` says that this process was asked to stop; the sum over processes is in the scores, so
    that all of them see it after the same step.
    """
    config, ranks = compute.config, compute.ranks
    set_lr(state.optimizers, lr_at(state.step, config))
    parts = []
    for piece in batch.split(config.micro):
        losses = compute(piece, count, state.types)
        losses.loss.backward()  # type: ignore[no-untyped-call]
        parts.append(losses)
    ranks.sum_gradients(state.model.parameters())
    norm = clip_grad_norm_(state.model.parameters(), config.clip)
    for optimizer in state.optimizers:
        optimizer.step()
        optimizer.zero_grad()
    nll_BxT = torch.cat([part.nll_BxT for part in parts])
    if state.types:
        decay = config.objectives.running_decay
        state.types.update(nll_BxT, batch.targets_BxT, decay, ranks)
    state.step += 1
    state.tokens += count
    sums_6 = torch.cat([_score(parts, ranks, stop=stop), norm.float()[None]])
    return Update(state.step, batch.rows_B, nll_BxT, count, sums_6)


def _score(parts: Sequence[Losses], ranks: Ranks, *, stop: bool) -> Tensor:
    """Return sums over all processes: terms, losses, weights, squared weights, who stops."""
    nll = torch.cat([part.nll_BxT for part in parts])
    terms = torch.cat([part.terms_BxT for part in parts])
    weights = torch.where(nll > 0, terms / nll, 0.0)
    asked = nll.new_tensor(float(stop))
    sums = [terms.sum(), nll.sum(), weights.sum(), weights.square().sum(), asked]
    return ranks.sum(torch.stack(sums))
