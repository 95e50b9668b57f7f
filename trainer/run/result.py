"""What a finished run says of itself: OUT/result.json, written last."""

from dataclasses import dataclass
from pathlib import Path

from trainer.data.packing import PackingSummary
from trainer.run.identity import RunIdentity, check_identity
from trainer.run.metrics import Evaluation
from weighting.errors import AssayError
from weighting.storage.json_records import read_record

RESULT = "result.json"
DIVERGED = "diverged.json"


@dataclass(frozen=True, kw_only=True)
class RunResult(RunIdentity):
    """One finished run."""

    step: int  # updates done
    tokens: int  # targets seen
    parameters: int
    packing: PackingSummary
    ess: float  # effective share of the training tokens under the shards' weights
    tokens_per_second: float  # median of the rows of metrics.jsonl
    final: Evaluation


@dataclass(frozen=True, kw_only=True)
class Divergence(RunIdentity):
    """A run that ended with a number that is not finite; `step` is that of the update."""

    step: int
    message: str


def find_divergence(identity: RunIdentity, out: Path) -> Divergence | None:
    """Return how this run diverged in `out`; None where it did not, or another run did."""
    path = out / DIVERGED
    if not path.exists():
        return None
    found = read_record(Divergence, path)
    try:
        check_identity(path, found, identity)
    except AssayError:
        return None
    return found


def find_result(identity: RunIdentity, out: Path) -> RunResult | None:
    """Return the result of a finished run in `out`, None where there is none.

    Raises:
        AssayError: it was made with another config or from other data.
        BrokenContract: the file holds something else.
    """
    path = out / RESULT
    if not path.exists():
        return None
    result = read_record(RunResult, path)
    check_identity(path, result, identity)
    return result
