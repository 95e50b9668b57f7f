"""What an ablation leaves in a run's folder, built in code."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from trainer.compare.intervals import Interval
from trainer.compare.results import AblationResults, ArmResults, Intervals, RunSummary
from trainer.run.metrics import EVALUATIONS, METRICS, Evaluation, Metrics, append_row
from weighting.storage.json_records import write_record


def write_ablation(run: Path, name: str = "objectives") -> Path:
    """Write what an ablation of two arms and two seeds leaves behind; return its folder."""
    folder = run / "ablations" / name
    losses = {"plain": (4.0, 4.2), "weighted": (3.9, 4.0)}
    for arm, values in losses.items():
        for seed, loss in enumerate(values):
            _write_rows(folder / arm / f"seed-{seed}", loss)
    plain, weighted = (_summarise(values) for values in losses.values())
    difference = Intervals(validation_nll=_interval((-0.1, -0.2)))
    results = AblationResults(
        baseline="plain",
        tokens=4096,
        data={},
        arms={"plain": plain, "weighted": replace(weighted, difference=difference)},
        verdicts=("weighted against plain: no difference shown",),
        base={},
        overrides={},
    )
    write_record(folder / "results.json", results)
    return folder


def _summarise(losses: Sequence[float]) -> ArmResults:
    runs = tuple(
        RunSummary(
            seed=seed,
            step=100,
            tokens=4096,
            parameters=1,
            ess=1.0,
            tokens_per_second=1.0,
            validation_tokens=64,
            validation_nll=loss,
        )
        for seed, loss in enumerate(losses)
    )
    return ArmResults(runs=runs, validation_nll=_interval(losses))


def _interval(values: Sequence[float]) -> Interval:
    return Interval(sum(values) / len(values), 0.5, tuple(values))


def _write_rows(run: Path, loss: float) -> None:
    run.mkdir(parents=True)
    for number in range(10):
        step, nll = 10 * (number + 1), loss + 1 / (number + 1)
        append_row(run / METRICS, Metrics(step, 64 * step, nll, nll, 1e-3, 1.0, 1.0, 1.0, 0.5))
        if number % 5 == 4:
            append_row(run / EVALUATIONS, Evaluation(step, 64, nll))
