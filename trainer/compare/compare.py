"""Arms against each other: means over seeds, paired differences and a verdict that can be "none".

Runs of one seed share initial parameters and batches, so the difference of two arms is taken seed
by seed; its interval is that of the mean difference, not of two separate means.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from trainer.compare.intervals import Interval, measure
from trainer.compare.results import METRICS, SPEED, ArmResults, Comparison, Intervals, RunSummary
from trainer.data.corpus import DataFingerprint
from trainer.run.result import RunResult
from weighting.errors import AssayError

MAY_DIFFER = {"train_weights_crc32", "reference_sha256"}
DOCUMENTS = {"train_tokens", "train_documents_crc32", "train_ids_crc32"}

Runs = Mapping[str, Sequence[RunResult]]  # results of an arm, one a seed, same seed order


def compare(runs: Runs, other_documents: bool = False) -> Comparison:
    """Return the comparison of finished runs; the first arm is the baseline.

    With `other_documents` arms may train on different documents, as many tokens in all.

    Raises:
        AssayError: two runs of one seed did not see the same tokens.
    """
    _check_same_tokens(runs, other_documents)
    baseline, *others = runs
    arms = {name: _summarise(results) for name, results in runs.items()}
    first = runs[baseline][0]
    verdicts = []
    for name in others:
        difference = _subtract(arms[name].runs, arms[baseline].runs)
        arms[name] = replace(arms[name], difference=difference)
        verdicts.append(_judge(name, baseline, difference.validation_nll))
    data = {name: value for name, value in asdict(first.data).items() if name not in MAY_DIFFER}
    return Comparison(
        baseline=baseline, tokens=first.tokens, data=data, arms=arms, verdicts=tuple(verdicts)
    )


def _check_same_tokens(runs: Runs, other_documents: bool) -> None:
    """Compare seed by seed: the padded last window may fall to one seed and not to another."""
    baseline = next(iter(runs.values()))
    for name, results in runs.items():
        for result, first in zip(results, baseline, strict=True):
            if result.tokens != first.tokens:
                raise AssayError(f"arm {name}: saw other tokens than the first arm; not comparable")
            check_same_ids(name, result.data, first.data, other_documents)


def check_same_ids(
    arm: str, data: DataFingerprint, first: DataFingerprint, other_documents: bool = False
) -> None:
    """Raise AssayError where an arm's corpus differs from the first arm's in more than weights.

    With `other_documents` the documents of the train split may differ as well.
    """
    may_differ = MAY_DIFFER | DOCUMENTS if other_documents else MAY_DIFFER
    ours, theirs = asdict(data), asdict(first)
    for name in sorted(set(theirs) - may_differ):
        if ours[name] != theirs[name]:
            hint = " unless other documents are allowed" if name in DOCUMENTS else ""
            raise AssayError(
                f"arm {arm}: its data has {name} {ours[name]}, the first arm's {theirs[name]}; "
                f"arms may differ in weights, not in tokens{hint}"
            )


def _summarise(results: Sequence[RunResult]) -> ArmResults:
    runs = tuple(map(_flatten, results))
    columns = {name: [getattr(run, name) for run in runs] for name in METRICS}
    return ArmResults(runs=runs, **_measure(columns))


def _flatten(result: RunResult) -> RunSummary:
    return RunSummary(
        seed=int(result.config["seed"]),
        parameters=result.parameters,
        tokens=result.tokens,
        ess=result.ess,
        tokens_per_second=result.tokens_per_second,
        **asdict(result.final),
    )


def _subtract(runs: Sequence[RunSummary], baseline: Sequence[RunSummary]) -> Intervals:
    pairs = list(zip(runs, baseline, strict=True))
    names = [name for name in METRICS if name != SPEED]
    columns = {name: [_differ(*pair, name) for pair in pairs] for name in names}
    return Intervals(**_measure(columns))


def _differ(run: RunSummary, baseline: RunSummary, metric: str) -> float | None:
    ours, theirs = getattr(run, metric), getattr(baseline, metric)
    return None if ours is None or theirs is None else ours - theirs


def _measure(columns: Mapping[str, Sequence[float | None]]) -> dict[str, Any]:
    """Return the interval of each metric that every run has."""
    known = {
        name: [value for value in column if value is not None] for name, column in columns.items()
    }
    return {
        name: measure(values) for name, values in known.items() if len(values) == len(columns[name])
    }


def _judge(name: str, baseline: str, primary: Interval) -> str:
    if primary.half_width_95 is None:
        return f"{name} against {baseline}: one seed, so no interval and no verdict"
    seeds = len(primary.values)
    size = f"{primary.mean:+.4f} ± {primary.half_width_95:.4f} nats/token, {seeds} seeds"
    size += ", 95 % interval"
    if not primary.excludes_zero:
        return f"{name} against {baseline}: no difference shown ({size})"
    direction = "lower" if primary.mean < 0 else "higher"
    return f"{name} against {baseline}: {direction} validation loss ({size})"
