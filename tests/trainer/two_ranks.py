"""Two ranks as two threads of this process, whose sums and gathered values meet."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch

from trainer.machine.process_group import Ranks


@dataclass(frozen=True)
class Together(Ranks):
    """One of the two."""

    barrier: threading.Barrier | None = None
    slots: list | None = None

    def swap(self, tensor):
        assert self.slots is not None
        assert self.barrier is not None
        self.slots[self.rank] = tensor.clone()
        self.barrier.wait()
        both = list(self.slots)
        self.barrier.wait()
        return both

    def sum(self, tensor):
        return tensor.copy_(sum(self.swap(tensor)))

    def gather(self, values_N):
        return torch.cat(self.swap(values_N))


def run_both(function):
    """What both ranks return, in order, from `function(ranks)`."""
    barrier, slots = threading.Barrier(2, timeout=20), [None, None]
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(function, [Together(r, 2, 0, barrier, slots) for r in range(2)]))
