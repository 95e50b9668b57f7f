"""Arms against each other: means over seeds, paired differences and a verdict that can be "none".

Runs of one seed share initial parameters and batches, so the difference of two arms is taken seed
by seed; its interval is that of the mean difference, not of two separate means.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import combinations
from typing import Any

from trainer.compare.intervals import correct_holm, find_p, measure
from trainer.compare.plan import Plan
from trainer.compare.results import (
    BUCKETS,
    LOSSES,
    METRICS,
    AblationResults,
    ArmResults,
    Intervals,
    MissingRun,
    Pair,
    RunSummary,
)
from trainer.data.corpus import DataFingerprint
from trainer.run.result import RunResult
from weighting.errors import AssayError

MAY_DIFFER = {"train_weights_crc32", "reference_sha256"}
DOCUMENTS = {"train_tokens", "train_documents_crc32", "train_ids_crc32"}
ALPHA = 0.05  # below which a corrected p shows a difference

Place = tuple[str, int]  # arm and seed


def compare(
    plan: Plan, runs: Mapping[Place, RunResult], missing: Mapping[Place, str]
) -> AblationResults:
    """Return the comparison of a plan's finished runs; `missing` says why a run has no result.

    Raises:
        AssayError: two runs of one seed did not see the same tokens.
    """
    _check_same_tokens(plan, runs)
    arms = tuple(
        ArmResults(
            name=arm.name,
            colour=arm.colour,
            runs=(found := _list_runs(plan, arm.name, runs)),
            missing=tuple(
                MissingRun(seed=seed, reason=missing[arm.name, seed])
                for seed in plan.seeds
                if (arm.name, seed) in missing
            ),
            **_measure({name: [getattr(run, name) for run in found] for name in METRICS}),
        )
        for arm in plan.arms
    )
    pairs = _correct([_subtract(*both) for both in _list_pairs(arms, plan.baseline)])
    data = {k: v for k, v in asdict(plan.arms[0].data).items() if k not in MAY_DIFFER}
    return AblationResults(
        plan=plan,
        plan_sha256=plan.sha256,
        baseline=plan.baseline,
        tokens=max((run.tokens for run in runs.values()), default=None),
        data=data,
        arms=arms,
        pairs=pairs,
        warnings=tuple(dict.fromkeys(line for run in runs.values() for line in run.warnings)),
        verdicts=(*_judge_all(pairs, plan.baseline), *_tell_missing(arms)),
    )


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


def _check_same_tokens(plan: Plan, runs: Mapping[Place, RunResult]) -> None:
    """Compare seed by seed: the padded last window may fall to one seed and not to another."""
    for seed in plan.seeds:
        found = [(arm.name, runs[arm.name, seed]) for arm in plan.arms if (arm.name, seed) in runs]
        for name, result in found:
            first_name, first = found[0]
            if result.tokens != first.tokens:
                raise AssayError(f"arm {name}: saw other tokens than {first_name}; not comparable")
            check_same_ids(name, result.data, first.data, plan.other_documents)


def _list_runs(plan: Plan, arm: str, runs: Mapping[Place, RunResult]) -> tuple[RunSummary, ...]:
    found = [runs[arm, seed] for seed in plan.seeds if (arm, seed) in runs]
    return tuple(
        RunSummary(
            seed=int(result.config["seed"]),
            parameters=result.parameters,
            tokens=result.tokens,
            ess=result.ess,
            tokens_per_second=result.tokens_per_second,
            target_counts_crc32=result.target_counts_crc32,
            **asdict(result.final),
        )
        for result in found
    )


def _measure(columns: Mapping[str, Sequence[float | None]]) -> dict[str, Any]:
    """Return the interval of each metric that every run has, of which there is at least one."""
    known = {name: [one for one in column if one is not None] for name, column in columns.items()}
    return {
        name: measure(values)
        for name, values in known.items()
        if values and len(values) == len(columns[name])
    }


def _list_pairs(
    arms: Sequence[ArmResults], baseline: str
) -> Iterator[tuple[ArmResults, ArmResults]]:
    """Yield each arm with the baseline, then each with each before it."""
    [base] = [arm for arm in arms if arm.name == baseline]
    others = [arm for arm in arms if arm.name != baseline]
    yield from ((arm, base) for arm in others)
    yield from ((later, earlier) for earlier, later in combinations(others, 2))


def _subtract(arm: ArmResults, against: ArmResults) -> Pair:
    ours, theirs = ({run.seed: run for run in one.runs} for one in (arm, against))
    seeds = tuple(seed for seed in ours if seed in theirs)
    columns = {name: [_differ(ours[seed], theirs[seed], name) for seed in seeds] for name in LOSSES}
    difference = Intervals(**_measure(columns))
    p = find_p(difference.validation_nll) if difference.validation_nll else None
    return Pair(
        arm=arm.name,
        against=against.name,
        seeds=seeds,
        difference=difference,
        p=p,
        p_holm=None,
        verdict="",
    )


def _differ(run: RunSummary, against: RunSummary, metric: str) -> float | None:
    if metric in BUCKETS and run.target_counts_crc32 != against.target_counts_crc32:
        return None  # they are of other types
    ours, theirs = getattr(run, metric), getattr(against, metric)
    return None if ours is None or theirs is None else ours - theirs


def _correct(pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    """Fill in each pair's corrected p and verdict."""
    tested = iter(correct_holm([pair.p for pair in pairs if pair.p is not None]))
    found = [replace(p, p_holm=None if p.p is None else next(tested)) for p in pairs]
    return tuple(replace(pair, verdict=_judge(pair)) for pair in found)


def _judge(pair: Pair) -> str:
    if pair.primary is None:
        return "no seed that both finished"
    if pair.p_holm is None:
        return "one seed, so no interval and no verdict"
    if pair.p_holm >= ALPHA:
        return "no difference shown"
    return f"{'lower' if pair.primary.mean < 0 else 'higher'} validation loss"


def _judge_all(pairs: Sequence[Pair], baseline: str) -> Iterator[str]:
    tests = sum(pair.p is not None for pair in pairs)
    for pair in (pair for pair in pairs if pair.against == baseline):
        sentence = f"{pair.arm} against {pair.against}: {pair.verdict}"
        if pair.primary is None or pair.primary.half_width_95 is None:
            yield sentence
            continue
        size = f"{pair.primary.mean:+.4f} ± {pair.primary.half_width_95:.4f} nats/token"
        correction = f", p {pair.p_holm:.2g} after Holm for {tests} tests" if tests > 1 else ""
        yield f"{sentence} ({size}, 95 % interval, {len(pair.seeds)} seeds{correction})"


def _tell_missing(arms: Sequence[ArmResults]) -> Iterator[str]:
    for arm in arms:
        for one in arm.missing:
            yield f"{arm.name}, seed {one.seed}: {one.reason}"
