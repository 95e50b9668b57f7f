"""What a run says of itself when it has ended: OUT/result.json, or OUT/diverged.json."""

from dataclasses import dataclass
from pathlib import Path

from trainer.data.packing import PackingSummary
from trainer.run.identity import Begun, RunIdentity, check_identity
from trainer.run.metrics import Evaluation
from weighting.errors import AssayError
from weighting.storage.json_records import read_record

RESULT = "result.json"
DIVERGED = "diverged.json"


@dataclass(frozen=True, kw_only=True)
class RunResult(Begun):
    """One finished run."""

    parameters: int
    packing: PackingSummary
    ess: float  # effective share of the training tokens under the shards' weights
    tokens_per_second: float  # median of the rows of metrics.jsonl
    final: Evaluation
    target_counts_crc32: int | None = None  # of what the evaluation's buckets are made from
    warnings: tuple[str, ...] = ()  # of its data


@dataclass(frozen=True, kw_only=True)
class Divergence(Begun):
    """A run that ended with a number that is not finite; `step` is that of the update."""

    tokens: int = 0
    message: str


def find_result(identity: RunIdentity, out: Path) -> RunResult | None:
    """Return the result of a finished run in `out`.

    None where no run has finished, or one of fewer steps, which can be trained on.

    Raises:
        AssayError: it was made with another config or from other data.
        BrokenContract: the file holds something else.
    """
    path = out / RESULT
    if not path.exists():
        return None
    result = read_record(RunResult, path)
    check_identity(path, result, identity)
    return result if result.step >= int(identity.config["steps"]) else None


def find_divergence(identity: RunIdentity, out: Path) -> Divergence | None:
    """Return how this run diverged in `out` before; None where it did not, or another run did.

    Raises:
        BrokenContract: the file holds something else.
    """
    path = out / DIVERGED
    if not path.exists():
        return None
    found = read_record(Divergence, path)
    try:
        check_identity(path, found, identity)
    except AssayError:
        return None
    return found
