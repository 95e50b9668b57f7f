"""What of this machine a run uses: device, threads, arithmetic and memory settings."""

import ctypes
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import torch

from trainer.config import TrainConfig
from weighting.errors import AssayError

# Parameters of glibc's mallopt(3).
M_TRIM_THRESHOLD = -1
M_MMAP_MAX = -4
LARGEST_INT = 2**31 - 1


def settle(config: TrainConfig) -> TrainConfig:
    """Replace `device` auto and `threads` 0 by what this machine has.

    A run is tied to both: another device or thread count adds numbers in another order.

    Raises:
        AssayError: cuda is asked for and there is none.
    """
    has_cuda = torch.cuda.is_available()
    if config.device == "cuda" and not has_cuda:
        raise AssayError("device is 'cuda', but this machine has no CUDA device; use cpu or auto")
    auto = "cuda" if has_cuda else "cpu"
    return replace(
        config,
        device=auto if config.device == "auto" else config.device,
        threads=config.threads or count_cores(),
    )


def prepare(config: TrainConfig) -> None:
    """Apply a settled config's settings to this process."""
    torch.set_num_threads(config.threads)
    torch.set_flush_denormal(True)
    keep_freed_memory()


def count_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def autocast(device: str) -> AbstractContextManager[None]:
    """Return bfloat16 autocasting on CUDA; the CPU computes in float32."""
    if device == "cuda":
        return torch.autocast("cuda", torch.bfloat16)
    return nullcontext()


def keep_freed_memory() -> None:
    """Make glibc keep freed memory for the next step instead of returning it to the system.

    The logits of a step are larger than the largest block that glibc keeps by default (32 MB), so
    each step would fault in every page of them again: a quarter of the step's time on a CPU.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, LARGEST_INT)
