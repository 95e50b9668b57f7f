"""The memory that models take, from the sizes of their files, before any of them is loaded.

Each worker process has models of its own. Figures: `docs/guides/references.md`.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import psutil
import torch

from trainer.run.checkpoint import find_newest
from trainer.scoring.model_files import inspect
from weighting.errors import AssayError
from weighting.signals.model_names import ModelKind, ModelName

LIMITS = {  # files of control groups, version 2 and 1: the limit, and what is in use
    "/sys/fs/cgroup/memory.max": "/sys/fs/cgroup/memory.current",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes": "/sys/fs/cgroup/memory/memory.usage_in_bytes",
}
SAME = {2: "BF16", 4: "F32"}  # the type of numbers in files that is computed with as it is
OWN = 800_000_000  # bytes of a process that scores, besides its models: libraries, a batch


class Need(NamedTuple):
    """Bytes that models take.

    `each` process has so many of its own, and `loading` more while it loads; `shared` are of files
    that all processes read as they lie there.
    """

    each: int
    loading: int
    shared: int


def measure_need(named: Iterable[tuple[ModelName, int]], width: int) -> Need:
    """Return what models take, given by name and number of checkpoints, once each.

    Numbers are computed with in `width` bytes. A file of such numbers is shared, any other copied;
    a GGUF file is in memory twice while it is loaded.

    Raises:
        AssayError: a model cannot be used.
    """
    each = loading = shared = 0
    for name, count in dict(named).items():
        if not name.pretrained:
            each += count * (find_newest(Path(name.place)) / "model.safetensors").stat().st_size
            continue
        found = inspect(name)
        size = found.parameters * width
        if found.types == {SAME[width]}:
            shared += size
        else:
            each += size
        if name.kind is ModelKind.GGUF:
            loading = max(loading, size)
    return Need(each, loading, shared)


def find_free_memory(device: str = "cpu", limits: Mapping[str, str] = LIMITS) -> int:
    """Return the bytes that processes may still take: of the GPU, the machine or the container."""
    if device == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    free = int(psutil.virtual_memory().available)
    for limit, used in limits.items():
        try:
            left = int(Path(limit).read_text()) - int(Path(used).read_text())
        except (OSError, ValueError):  # of another version, or without a limit ("max")
            continue
        free = min(free, max(0, left))
    return free


def check_memory(need: Need, workers: int, free: int) -> None:
    """Check that as many worker processes can load their models.

    Raises:
        AssayError: there is no room for so many; the message says for how many there is.
    """
    each, once = need.each + OWN, need.shared + need.loading
    if workers * each + once <= free:
        return
    told = (
        f"the models take {_show(workers * each + once)} of memory"
        f"{f' in {workers:,} processes' if workers > 1 else ''}, and {_show(free)} are free"
    )
    fitting = (free - once) // each
    if fitting < 1:
        raise AssayError(f"{told}; name smaller models, or take a machine with more")
    raise AssayError(f"{told}, room for {fitting:,}: give --workers {fitting}")


def _show(size: int) -> str:
    return f"{size / 1e9:,.1f} GB"
