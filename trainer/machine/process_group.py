"""The processes of a run that torchrun started, and the sums that they share.

Every process holds the whole model and a part of each batch. What an update needs of the whole
batch are sums and gathered values, the same on all processes, so that a run on any number of them
is one run.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from weighting.errors import AssayError
from weighting.processes.parent import follow_parent


@dataclass(frozen=True)
class Ranks:
    """This process among `count` of them."""

    rank: int = 0
    count: int = 1
    local: int = 0  # number of the process on its machine, and so of its device

    @property
    def leads(self) -> bool:
        """Whether this process writes files and speaks to the user."""
        return self.rank == 0

    def sum(self, tensor: Tensor) -> Tensor:
        """Add a tensor over all processes, in place, and return it."""
        if self.count > 1:
            dist.all_reduce(tensor)
        return tensor

    def sum_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Add every parameter's gradient over all processes, as one message."""
        if self.count == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = self.sum(torch.cat([gradient.flatten() for gradient in gradients]))
        parts = torch.split(flat, [gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def gather(self, values_N: Tensor) -> Tensor:
        """Return the values of all processes, in order of rank; N may differ between them."""
        if self.count == 1:
            return values_N
        sizes = self.gather_objects(len(values_N))
        padded = values_N.new_zeros(max(sizes))
        padded[: len(values_N)] = values_N
        parts = [torch.empty_like(padded) for _ in sizes]
        dist.all_gather(parts, padded)
        return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])

    def gather_objects(self, value: Any) -> list[Any]:  # noqa: ANN401 - whatever can be sent
        """Return every process's value, in order of rank; small things only."""
        if self.count == 1:
            return [value]
        values: list[Any] = [None] * self.count
        dist.all_gather_object(values, value)
        return values


ALONE = Ranks()


def read_ranks() -> Ranks:
    """Return what torchrun's environment says, one process where it says nothing.

    Raises:
        AssayError: a variable is not a number.
    """
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
    if "WORLD_SIZE" not in os.environ:
        return ALONE
    try:
        ranks = Ranks(*(int(os.environ[name]) for name in names))
        if ranks.count > 1:  # they meet there
            _ = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
        if not 0 <= ranks.rank < ranks.count:
            raise ValueError(f"RANK {ranks.rank} of WORLD_SIZE {ranks.count}")
    except (KeyError, ValueError) as error:
        raise AssayError(
            f"environment of torchrun: {error}; start with torchrun, or unset {', '.join(names)}"
        ) from None
    return ranks


@contextmanager
def joining(ranks: Ranks, device: str) -> Iterator[None]:
    """Connect the processes: NCCL between CUDA devices, gloo between CPUs."""
    if ranks.count == 1:
        yield
        return
    if "TORCHELASTIC_RUN_ID" in os.environ:  # torchrun is the parent
        follow_parent(os.getppid(), is_ours=False)
    if device == "cuda":
        torch.cuda.set_device(ranks.local)
    dist.init_process_group("nccl" if device == "cuda" else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()
