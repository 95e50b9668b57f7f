"""What an ablation says: OUT/results.json as records.

Metrics that a run does not have, such as bits per byte without a tokenizer, are None. So are those
of an arm of which no run finished.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trainer.compare.intervals import Interval
from trainer.compare.plan import Plan
from trainer.config.flat import Value
from weighting.errors import BrokenContract
from weighting.storage.files import read_json
from weighting.storage.json_records import from_json

RESULTS = "results.json"
FORMAT = 2
PRIMARY = "validation_nll"  # what verdicts are about
SPEED = "tokens_per_second"  # told of every arm, and not subtracted: it is no result
LOSSES = (PRIMARY, "bits_per_byte", "nll_high", "nll_medium", "nll_low")
METRICS = (*LOSSES, SPEED)
BUCKETS = ("nll_high", "nll_medium", "nll_low")  # by the frequency of the target


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """One finished run of an arm, see `trainer.run.result` and `trainer.run.metrics`."""

    seed: int
    step: int
    tokens: int
    parameters: int
    ess: float
    tokens_per_second: float
    validation_tokens: int
    validation_nll: float
    bits_per_byte: float | None = None
    nll_high: float | None = None
    nll_medium: float | None = None
    nll_low: float | None = None
    target_counts_crc32: int | None = None  # of what the buckets high, medium and low are made of


@dataclass(frozen=True, kw_only=True)
class MissingRun:
    """A planned run without a result, and why: "diverged at step 2"."""

    seed: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Intervals:
    """The mean over seeds of each metric."""

    validation_nll: Interval | None = None
    bits_per_byte: Interval | None = None
    nll_high: Interval | None = None
    nll_medium: Interval | None = None
    nll_low: Interval | None = None
    tokens_per_second: Interval | None = None

    def find(self, metric: str) -> Interval | None:
        """Return the interval of one of METRICS, None where a run does not have it."""
        found: Interval | None = getattr(self, metric)
        return found


@dataclass(frozen=True, kw_only=True)
class ArmResults(Intervals):
    """An arm: its finished runs, their means, and its runs that have no result."""

    name: str
    colour: int
    runs: tuple[RunSummary, ...]
    missing: tuple[MissingRun, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One arm against another: the mean difference, seed by seed, over the seeds of both.

    `p` is that of a paired t test of the primary metric, `p_holm` is corrected for all pairs of the
    ablation; None below two seeds.
    """

    arm: str
    against: str
    seeds: tuple[int, ...]
    difference: Intervals
    p: float | None
    p_holm: float | None
    verdict: str

    @property
    def primary(self) -> Interval | None:
        """The difference that the verdict is about."""
        return self.difference.find(PRIMARY)


@dataclass(frozen=True, kw_only=True)
class AblationResults:
    """Arms in the user's order; each against the baseline, then each against each other."""

    plan: Plan
    plan_sha256: str
    baseline: str
    tokens: int | None  # of a run, None where none is finished
    data: Mapping[str, Value | None]  # what the arms' data have in common
    arms: tuple[ArmResults, ...]
    pairs: tuple[Pair, ...]
    verdicts: tuple[str, ...]  # on each arm against the baseline, and on runs without a result
    warnings: tuple[str, ...] = ()  # of the runs: what is odd about their data
    format: int = FORMAT

    def find_arm(self, name: str) -> ArmResults:
        """Return an arm by its name; there must be one."""
        return next(arm for arm in self.arms if arm.name == name)

    def find_pair(self, arm: str, against: str) -> Pair | None:
        """Return an arm against another, None where they are not compared in this order."""
        return next((p for p in self.pairs if (p.arm, p.against) == (arm, against)), None)

    def list_missing(self) -> list[str]:
        """Return a line for each run without a result."""
        return [
            f"arm {arm.name}, seed {one.seed}: {one.reason}"
            for arm in self.arms
            for one in arm.missing
        ]


def read_results(folder: Path) -> AblationResults:
    """Read the results of the finished ablation in a folder.

    Raises:
        AssayError: there are none.
        BrokenContract: the file holds something else, or is of another format.
    """
    path = folder / RESULTS
    content = read_json(path)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise BrokenContract(
            f"{path}: no results of format {FORMAT}; run the same `trainer ablate` again to make "
            "them anew, finished runs are not repeated"
        )
    return from_json(AblationResults, content, str(path))
