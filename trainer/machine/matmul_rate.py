"""How fast this machine multiplies matrices: what a training run's speed is held against.

Data sheets promise rates that no program reaches; a share of the measured one says how much a
better loop could still gain here.
"""

from collections.abc import Callable
from time import perf_counter

import torch

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
CUDA_SIZE = 8192
CUDA_ROUNDS, CUDA_PRODUCTS = 3, 10  # some products in a row: the time of one is mostly its launch
CPU_SIZES = (512, 1024, 2048, 4096)
CPU_LEAST_SECONDS = 0.01  # so long a product hides what it costs to wake its threads
CPU_SECONDS = 0.15  # of rounds, for each size


def measure_matmul(device: str, precision: str) -> float:
    """Return the FLOP/s of a large square matrix product, one CUDA device or torch's CPU threads.

    The best of some rounds, since other work on the machine only lowers it. A few tenths of a
    second; the random numbers of training are left alone.
    """
    return (_measure_cuda if device == "cuda" else _measure_cpu)(DTYPES[precision])


def matmul_share(flops_per_token: float, tokens_per_second: float, rate: float) -> float:
    """Return the share of a measured rate (FLOP/s of all devices) that training turns to use."""
    return flops_per_token * tokens_per_second / rate


def _measure_cuda(dtype: torch.dtype) -> float:
    multiply = _prepare(CUDA_SIZE, "cuda", dtype)
    multiply()
    seconds = []
    for _ in range(CUDA_ROUNDS):
        start, end = _make_event(), _make_event()
        start.record()
        for _ in range(CUDA_PRODUCTS):
            multiply()
        end.record()
        end.synchronize()
        seconds.append(float(start.elapsed_time(end)) / 1000)
    return CUDA_PRODUCTS * _count_flops(CUDA_SIZE) / min(seconds)


def _make_event() -> torch.cuda.Event:
    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]


def _measure_cpu(dtype: torch.dtype) -> float:
    """Measure ever larger products; small ones keep few cores busy, large ones meet other work."""
    rate = 0.0
    for size in CPU_SIZES:
        multiply = _prepare(size, "cpu", dtype)
        multiply()
        seconds: list[float] = []
        while sum(seconds) < CPU_SECONDS:
            seconds.append(_time(multiply))
        rate = max(rate, _count_flops(size) / min(seconds))
        if min(seconds) >= CPU_LEAST_SECONDS:
            break
    return rate


def _prepare(size: int, device: str, dtype: torch.dtype) -> Callable[[], object]:
    generator = torch.Generator(device).manual_seed(0)
    shape = (size, size)
    left, right = (
        torch.randn(shape, generator=generator, device=device).to(dtype) for _ in range(2)
    )
    product = torch.empty_like(left)
    return lambda: torch.mm(left, right, out=product)


def _time(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def _count_flops(size: int) -> float:
    return 2.0 * size**3
