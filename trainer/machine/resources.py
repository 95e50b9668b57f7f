"""What of this machine a run uses: processes, device, threads, arithmetic and memory settings."""

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import fields

import torch

from trainer.config.schema import (
    AUTO,
    LONGEST_WARMUP,
    OPTIMIZERS,
    ResolvedConfig,
    TrainConfig,
)
from trainer.machine.process_group import Ranks
from weighting.errors import AssayError

# Parameters of glibc's mallopt(3).
M_TRIM_THRESHOLD = -1
M_MMAP_MAX = -4
LARGEST_INT = 2**31 - 1
# Instructions for products of bfloat16, as `torch.cpu.get_capabilities` names them: x86, then ARM.
BFLOAT16_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16")


def resolve(config: TrainConfig, ranks: Ranks) -> ResolvedConfig:
    """Replace what is left open: by what this machine has, or by what suits the other fields.

    A run is tied to all of them: another device or another number of threads or processes adds
    numbers in another order.

    Raises:
        AssayError: cuda is asked for and there is none, or another number of processes than runs,
            or the windows do not split evenly.
    """
    device = find_device(config.device)
    precision, compiles = ("bfloat16", "on") if device == "cuda" else ("float32", "off")
    given = {item.name: getattr(config, item.name) for item in fields(config)}
    follows = config.warmup == AUTO
    chosen = {
        "warmup": min(LONGEST_WARMUP, config.steps // 10) if follows else config.warmup,
        "lr": OPTIMIZERS[config.optimizer] if config.lr == AUTO else config.lr,
        "device": device,
        "threads": config.threads or max(1, count_cores() // count_neighbours()),
        "ranks": config.ranks or ranks.count,
        "precision": precision if config.precision == "auto" else config.precision,
        "compile": compiles if config.compile == "auto" else config.compile,
    }
    resolved = ResolvedConfig(**given | chosen)
    _check_split(resolved, ranks)
    return resolved


def find_device(device: str) -> str:
    """Return the device that is meant; "auto" is cuda where there is one.

    Raises:
        AssayError: cuda is asked for, and the machine has no such device.
    """
    has_cuda = torch.cuda.is_available()
    if device == "cuda" and not has_cuda:
        raise AssayError("device is 'cuda', but this machine has no CUDA device; use cpu or auto")
    return ("cuda" if has_cuda else "cpu") if device == "auto" else device


def prepare(config: ResolvedConfig) -> None:
    """Apply a config's settings to this process."""
    torch.set_num_threads(config.threads)
    torch.set_flush_denormal(True)
    keep_freed_memory()
    if config.deterministic:
        # cuBLAS reads it when it starts; no other value it takes is deterministic and this fast.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)


def count_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def count_neighbours() -> int:
    """Return how many processes of the run share this machine, this one included."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def has_native_bfloat16(device: str) -> bool:
    """Say whether a device multiplies bfloat16 itself; others emulate it, at a loss of speed."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    instructions = torch.cpu.get_capabilities()
    return any(instructions.get(name, False) for name in BFLOAT16_INSTRUCTIONS)


def list_warnings(config: ResolvedConfig) -> tuple[str, ...]:
    """Return what a user would want to know of a config on this machine before a run of hours."""
    if config.precision == "bfloat16" and not has_native_bfloat16(config.device):
        return (
            f"precision bfloat16: this {config.device.upper()} has no instructions for it and "
            "emulates them; float32 is several times faster here",
        )
    return ()


def autocast(config: ResolvedConfig) -> AbstractContextManager[object]:
    """Return the context in which matrix products have a config's precision."""
    if config.precision == "bfloat16":
        return torch.autocast(config.device, torch.bfloat16)
    return nullcontext()


@contextmanager
def quiet_collector() -> Iterator[None]:
    """Keep Python's garbage collector from stopping a loop that makes no cycles."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def keep_freed_memory() -> None:
    """Make glibc keep freed memory for the next step instead of returning it to the system.

    The logits of a step are larger than the largest block that glibc keeps by default (32 MB), so
    each step would fault in every page of them again: a quarter of the step's time on a CPU.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, LARGEST_INT)


def _check_split(config: ResolvedConfig, ranks: Ranks) -> None:
    if config.ranks != ranks.count:
        raise AssayError(
            f"ranks is {config.ranks}, but {ranks.count} process runs; start the run with "
            f"torchrun --nproc-per-node {config.ranks} -m trainer train …"
        )
    if config.batch % config.ranks:
        raise AssayError(f"batch {config.batch} does not split over {config.ranks} processes")
    share = config.batch // config.ranks
    if config.micro and share % config.micro:
        raise AssayError(f"micro {config.micro} does not divide a process's {share} windows")
