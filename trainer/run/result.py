"""What a finished run says of itself: OUT/result.json, written last."""

from dataclasses import dataclass
from pathlib import Path

from trainer.data.packing import PackingSummary
from trainer.run.identity import RunIdentity, check_identity
from trainer.run.metrics import Evaluation
from weighting.storage.json_records import read_record

RESULT = "result.json"


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
