"""What an ablation says: OUT/results.json as records.

Metrics that a run does not have, such as bits per byte without a tokenizer, are None.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trainer.compare.intervals import Interval
from trainer.config.flat import FlatConfig, Value
from weighting.storage.json_records import read_record

RESULTS = "results.json"
PRIMARY = "validation_nll"  # what verdicts are about
SPEED = "tokens_per_second"  # told of every arm, and not subtracted
METRICS = (PRIMARY, "bits_per_byte", "nll_high", "nll_medium", "nll_low", SPEED)


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """One run of an arm, see `trainer.run.result` and `trainer.run.metrics`."""

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


@dataclass(frozen=True, kw_only=True)
class Intervals:
    """The mean over seeds of each metric."""

    validation_nll: Interval
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
    """An arm: its runs, their means, and the mean difference to the first arm, seed by seed."""

    runs: tuple[RunSummary, ...]
    difference: Intervals | None = None  # None of the first arm

    @property
    def primary_difference(self) -> Interval | None:
        """The difference that verdicts are about."""
        return None if self.difference is None else self.difference.validation_nll


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Arms by name, the first one the baseline that the others are held against."""

    baseline: str
    tokens: int  # of a run
    data: Mapping[str, Value | None]  # what the arms' data have in common
    arms: Mapping[str, ArmResults]
    verdicts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class AblationResults(Comparison):
    """A comparison and the configs that it is of."""

    base: FlatConfig
    overrides: Mapping[str, FlatConfig]  # by arm


def read_results(folder: Path) -> AblationResults:
    """Read the results of the finished ablation in a folder.

    Raises:
        AssayError: there are none.
        BrokenContract: the file holds something else.
    """
    return read_record(AblationResults, folder / RESULTS)
