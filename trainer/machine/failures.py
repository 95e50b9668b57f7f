"""What a machine refuses a training run, as errors that say what to change: memory, room, rights.

Most of a run's memory is what a step keeps for its gradient, and that grows with the targets
computed at once. So the knobs come in this order: those that leave the result as it is, then those
of the model's shape.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError

from trainer.config.schema import ResolvedConfig
from weighting.errors import AssayError, Interrupted
from weighting.storage import failures
from weighting.storage.failures import OutOfMemory

# PyTorch has a type of its own for CUDA's allocator alone; the rest are RuntimeErrors.
MEMORY_MARKS = re.compile(
    r"out of memory|not enough memory|can't allocate memory|std::bad_alloc|_STATUS_ALLOC_FAILED",
    re.IGNORECASE,
)
WANTED = re.compile(r"allocate (?P<size>\d[\d.]*) (?P<unit>bytes|[KMGT]iB)")
SYSTEM_ERROR = re.compile(r"\(os error (\d+)\)")  # how Rust words what the system refuses
# What a step keeps of a target, in bytes. For each block and unit of width: Korthikanti et al. 2022
# (arXiv 2205.05198), eq. 2, 34 in half precision. For each type: logit, its log and its gradient.
BLOCK_BYTES = {"bfloat16": 34, "float32": 68}
TYPE_BYTES = 12


@contextmanager
def explaining(config: ResolvedConfig, out: Path, vocab_size: int) -> Iterator[None]:
    """Raise what `explain` makes of an error inside; what it does not know passes as it is."""
    try:
        yield
    except Exception as error:
        known = explain(error, config, out, vocab_size)
        if known is None or known is error:
            raise
        raise known from error


def explain(
    error: BaseException, config: ResolvedConfig, out: Path | None = None, vocab_size: int = 0
) -> AssayError | Interrupted | None:
    """Return the error of ours that says what ended the run in `out`, None where none does.

    `vocab_size` is that of the shards, 0 where it is not known.
    """
    if is_of_memory(error):
        lower = ", ".join(name_knobs(config, vocab_size))
        where = f"{out}: " if out else ""
        return OutOfMemory(
            f"{where}out of memory on {config.device}{_name_wanted(error)}; lower {lower}"
        )
    if isinstance(error, SafetensorError) and (number := SYSTEM_ERROR.search(str(error))):
        error = OSError(int(number[1]), str(error))
    named = getattr(error, "filename", None)
    return failures.explain(error, None if named else out)


def is_of_memory(error: BaseException) -> bool:
    """Say whether memory ran out: of Python, NumPy, Arrow, the CPU's tensors or a CUDA device."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and bool(MEMORY_MARKS.search(str(error)))


def name_knobs(config: ResolvedConfig, vocab_size: int) -> list[str]:
    """Return what of a config to lower for memory, with its value now, the best first."""
    model, objective = config.model, config.objectives.chosen
    share = config.batch // max(config.ranks, 1)
    windows = min(config.micro or share, share)
    knobs = []
    if windows > 1:
        batch, micro = f"batch ({config.batch})", f"micro (now {windows} windows)"
        knobs.append(batch if objective.whole_batch else micro)
    types = max(vocab_size, model.vocab)
    blocks = BLOCK_BYTES[config.precision] * model.layers * model.width
    if objective.known_before and not config.ce_chunk and TYPE_BYTES * types > blocks:
        knobs.append(f"ce_chunk (now {windows * model.context} targets of {types} types)")
    shape = [f"{name} ({getattr(model, name)})" for name in ("context", "width", "layers")]
    return [*knobs, f"then {shape[0]}", *shape[1:]] if knobs else shape


def _name_wanted(error: BaseException) -> str:
    wanted = WANTED.search(str(error))
    if wanted is None:
        return ""
    size, unit = wanted["size"], wanted["unit"]
    if unit == "bytes":
        size, unit = f"{int(size) / 2**20:,.0f}", "MiB"
    return f" (no room for {size} {unit} more)"
