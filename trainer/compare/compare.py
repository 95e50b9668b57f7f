"""Arms against each other: means over seeds, paired differences and a verdict that can be "none".

Runs of one seed share initial parameters and batches, so the difference of two arms is taken seed
by seed; its interval is that of the mean difference, not of two separate means.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from trainer.compare.intervals import Interval, measure
from weighting.errors import AssayError

PRIMARY = "validation_nll"
MAY_DIFFER = {"train_weights_crc32", "reference_sha256"}
DOCUMENTS = {"train_tokens", "train_documents_crc32", "train_ids_crc32"}
METRICS = (PRIMARY, "bits_per_byte", "nll_high", "nll_medium", "nll_low", "tokens_per_second")

Runs = Mapping[str, Sequence[Mapping[str, Any]]]  # results of an arm, one a seed, same seed order


def compare(runs: Runs, other_documents: bool = False) -> dict[str, Any]:
    """Return the results of an ablation as JSON values; the first arm is the baseline.

    With `other_documents` arms may train on different documents, as many tokens in all.

    Raises:
        AssayError: two runs of one seed did not see the same tokens.
    """
    _check_same_tokens(runs, other_documents)
    baseline, *others = runs
    arms = {name: _summarise(results) for name, results in runs.items()}
    for name in others:
        arms[name]["difference"] = _subtract(arms[name]["runs"], arms[baseline]["runs"])
    first = runs[baseline][0]
    return {
        "baseline": baseline,
        "tokens": first["tokens"],
        "data": {name: first["data"][name] for name in set(first["data"]) - MAY_DIFFER},
        "arms": arms,
        "verdicts": [_judge(name, baseline, arms[name]["difference"]) for name in others],
    }


def _check_same_tokens(runs: Runs, other_documents: bool) -> None:
    """Compare seed by seed: the padded last window may fall to one seed and not to another."""
    baseline = next(iter(runs.values()))
    for name, results in runs.items():
        for result, first in zip(results, baseline, strict=True):
            if result["tokens"] != first["tokens"]:
                raise AssayError(f"arm {name}: saw other tokens than the first arm; not comparable")
            check_same_ids(name, result["data"], first["data"], other_documents)


def check_same_ids(
    arm: str, data: Mapping[str, Any], first: Mapping[str, Any], other_documents: bool = False
) -> None:
    """Raise AssayError where an arm's corpus differs from the first arm's in more than weights.

    With `other_documents` the documents of the train split may differ as well.
    """
    may_differ = MAY_DIFFER | DOCUMENTS if other_documents else MAY_DIFFER
    for name in sorted(set(first) - may_differ):
        if data[name] != first[name]:
            hint = " unless other documents are allowed" if name in DOCUMENTS else ""
            raise AssayError(
                f"arm {arm}: its data has {name} {data[name]}, the first arm's {first[name]}; "
                f"arms may differ in weights, not in tokens{hint}"
            )


def _summarise(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    runs = [_flatten(result) for result in results]
    return {"runs": runs, **{name: _interval(_column(runs, name)) for name in _shared(runs)}}


def _flatten(result: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: result[name] for name in ("step", "tokens", "parameters", "ess")}
    speed = {"tokens_per_second": result["tokens_per_second"]}
    return {"seed": result["config"]["seed"], **kept, **speed, **result["final"]}


def _subtract(
    runs: Sequence[Mapping[str, Any]], baseline: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    names = [name for name in _shared([*runs, *baseline]) if name != "tokens_per_second"]
    return {
        name: _interval(
            [ours[name] - theirs[name] for ours, theirs in zip(runs, baseline, strict=True)]
        )
        for name in names
    }


def _shared(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    return [name for name in METRICS if all(run.get(name) is not None for run in runs)]


def _column(runs: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    return [run[name] for run in runs]


def _interval(values: list[float]) -> dict[str, Any]:
    interval = measure(values)
    return {"mean": interval.mean, "half_width_95": interval.half, "values": values}


def _judge(name: str, baseline: str, difference: Mapping[str, Any]) -> str:
    primary = difference[PRIMARY]
    interval, seeds = Interval(primary["mean"], primary["half_width_95"]), len(primary["values"])
    if interval.half is None:
        return f"{name} against {baseline}: one seed, so no interval and no verdict"
    size = f"{interval.mean:+.4f} ± {interval.half:.4f} nats/token, {seeds} seeds, 95 % interval"
    if not interval.excludes_zero:
        return f"{name} against {baseline}: no difference shown ({size})"
    direction = "lower" if interval.mean < 0 else "higher"
    return f"{name} against {baseline}: {direction} validation loss ({size})"
