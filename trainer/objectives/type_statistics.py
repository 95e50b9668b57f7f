"""What training has seen of each type of token so far: how often, and at what loss."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.data.loader import IGNORED
from trainer.machine.process_group import Ranks


@dataclass(frozen=True)
class TypeStatistics:
    """Counts of targets and running mean losses, by id; the same on every process."""

    counts_V: Tensor  # int64
    losses_V: Tensor  # float32, nats

    @classmethod
    def start(cls, vocab_size: int, device: str = "cpu") -> "TypeStatistics":
        """Return what is known before the first batch: no counts, and the loss of guessing."""
        return cls(
            torch.zeros(vocab_size, dtype=torch.int64, device=device),
            torch.full((vocab_size,), math.log(vocab_size), device=device),
        )

    @torch.no_grad()
    def update(self, nll_BxT: Tensor, targets_BxT: Tensor, decay: float, ranks: Ranks) -> None:
        """Take in a whole batch, of which this process holds a part; padding is left out.

        A type of the batch keeps `decay` of its running loss, the rest is its mean loss in the
        batch; other types keep theirs.
        """
        live_BxT = targets_BxT != IGNORED
        # Double precision: with it the sums hardly depend on how many processes share the batch.
        columns_BxTx2 = torch.stack([live_BxT.double(), nll_BxT.double() * live_BxT], -1)
        sums_Vx2 = columns_BxTx2.new_zeros(len(self.counts_V), 2)
        sums_Vx2.index_add_(0, targets_BxT.clamp_min(0).flatten(), columns_BxTx2.flatten(0, 1))
        counts_V, losses_V = ranks.sum(sums_Vx2).unbind(-1)
        means_V = losses_V / counts_V.clamp_min(1)
        moved_V = decay * self.losses_V + (1 - decay) * means_V
        self.losses_V.copy_(torch.where(counts_V > 0, moved_V, self.losses_V))
        self.counts_V.add_(counts_V.long())

    def tensors(self) -> dict[str, Tensor]:
        """Return what a checkpoint keeps."""
        return {"counts": self.counts_V, "losses": self.losses_V}

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take over what `tensors` returned."""
        self.counts_V.copy_(tensors["counts"])
        self.losses_V.copy_(tensors["losses"])
