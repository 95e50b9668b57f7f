"""The chunked loss against the whole one: time and peak memory of a forward and a backward pass.

python -m benchmarks.training.chunked [TARGETS WIDTH VOCAB]    default 1024 256 16384

Hidden states and head to a weighted loss and both gradients; on CUDA under bfloat16 autocast.
`torch` is F.linear_cross_entropy with reduction "none" and its default chunks, where there is one.
Arms take turns. Memory is what the pass needs beyond its inputs: on CUDA as the allocator counts
it, on a CPU by the largest resident size of a process of its own for each arm.
"""

import multiprocessing
import resource
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from statistics import median

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.nn import functional as F

from benchmarks.interleave import interleave, ratios
from trainer.data.loader import IGNORED
from trainer.objectives.chunked import weighted_cross_entropy

ROUNDS = 5
CHUNKS = (64, 256, 1024)
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SIZES = (1024, 256, 16384)

Arm = Callable[[], object]


def build_arms(targets: int, width: int, vocab: int) -> dict[str, Arm]:
    """Return what is timed, each one forward and backward pass on the same inputs."""
    torch.manual_seed(0)
    hidden = torch.randn(targets, width, device=DEVICE, requires_grad=True)
    head = torch.randn(vocab, width, device=DEVICE).mul_(width**-0.5).requires_grad_()
    ids = torch.randint(0, vocab, (targets,), device=DEVICE)
    ids[::7] = IGNORED
    weights = 2 * torch.rand(targets, device=DEVICE)

    def whole() -> Tensor:
        nll = F.cross_entropy((hidden @ head.T).float(), ids, reduction="none")
        return (nll * weights).sum() / targets

    def chunked(chunk: int) -> Tensor:
        return weighted_cross_entropy(hidden, head, ids, weights, float(targets), chunk)[0]

    def of_torch() -> Tensor:
        options = torch.nn.LinearCrossEntropyOptions()
        nll = F.linear_cross_entropy(hidden, head, ids, reduction="none", options=options)
        return (nll * weights).sum() / targets

    def run(loss: Callable[[], Tensor]) -> None:
        hidden.grad = head.grad = None
        with torch.autocast(DEVICE, torch.bfloat16, enabled=DEVICE == "cuda"):
            value = loss()
        torch.autograd.backward(value)
        if DEVICE == "cuda":
            torch.cuda.synchronize()

    losses: dict[str, Callable[[], Tensor]] = {"whole": whole}
    losses |= {f"chunk {size}": partial(chunked, size) for size in CHUNKS}
    if hasattr(F, "linear_cross_entropy"):
        losses["torch"] = of_torch
    return {name: partial(run, loss) for name, loss in losses.items()}


def measure_peaks(sizes: tuple[int, int, int]) -> dict[str, int]:
    """Return the bytes that a pass of each arm needs at once, beyond its inputs."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as pool:
        futures = {name: pool.submit(measure_peak, name, sizes) for name in build_arms(1, 1, 1)}
        return {name: future.result() for name, future in futures.items()}


def measure_peak(name: str, sizes: tuple[int, int, int]) -> int:
    """Return the bytes that a pass of one arm needs at once in this process."""
    build_arms(64, 64, 64)[name]()  # what libraries keep from their first use on
    arm = build_arms(*sizes)[name]
    before = read_peak()
    arm()
    return read_peak() - before


def read_peak() -> int:
    """Return the most bytes that this process has held at once so far."""
    if DEVICE == "cuda":
        return torch.cuda.max_memory_allocated()
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Print the table."""
    targets, width, vocab = map(int, sys.argv[1:4]) if len(sys.argv) > 3 else SIZES
    # First, while this process is small: on Linux a child's peak begins at that of its parent.
    peaks = measure_peaks((targets, width, vocab))
    times = interleave(build_arms(targets, width, vocab), ROUNDS)
    title = f"loss of {targets} targets, {width} wide, {vocab} types, {DEVICE}"
    table = Table(
        title=title, caption=" ".join(["python -m benchmarks.training.chunked", *sys.argv[1:]])
    )
    for column in ("arm", "ms", "time / whole", "peak MB", "memory / whole"):
        table.add_column(column, justify="left" if column == "arm" else "right")
    for name, values in times.items():
        against = ratios(times, name, "whole")
        table.add_row(
            name,
            f"{1e3 * median(values):.1f}",
            f"{median(against):.3f} ({min(against):.3f} to {max(against):.3f})",
            f"{peaks[name] / 1e6:.0f}",
            f"{peaks[name] / peaks['whole']:.2f}",
        )
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
