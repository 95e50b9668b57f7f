"""What an ablation leaves in a run's folder, built in code."""

from pathlib import Path

from tests.trainer.records import make_evaluation, make_plan, make_result
from trainer.compare.compare import compare
from trainer.compare.plan import PLAN, find_run
from trainer.compare.results import AblationResults
from trainer.run.metrics import EVALUATIONS, METRICS, Evaluation, Metrics, append_row
from weighting.storage.json_records import write_record

LOSSES = {"plain": (4.0, 4.2), "weighted": (3.9, 4.0)}


def write_ablation(run: Path, name: str = "objectives") -> Path:
    """Write what an ablation of two arms and two seeds leaves behind; return its folder."""
    folder = run / "ablations" / name
    for arm, values in LOSSES.items():
        for seed, loss in enumerate(values):
            _write_rows(find_run(folder, arm, seed), loss)
    results = make_results()
    write_record(folder / PLAN, results.plan)
    write_record(folder / "results.json", results)
    return folder


def make_results() -> AblationResults:
    """Results of two arms and two seeds."""
    plan = make_plan(list(LOSSES), (0, 1))
    runs = {
        (arm, seed): make_result(
            seed, loss, tokens=4096, final=make_evaluation(100, loss, validation_tokens=64)
        )
        for arm, values in LOSSES.items()
        for seed, loss in enumerate(values)
    }
    return compare(plan, runs, {})


def _write_rows(run: Path, loss: float) -> None:
    run.mkdir(parents=True)
    for number in range(10):
        step, nll = 10 * (number + 1), loss + 1 / (number + 1)
        append_row(run / METRICS, Metrics(step, 64 * step, nll, nll, 1e-3, 1.0, 1.0, 1.0, 0.5))
        if number % 5 == 4:
            append_row(run / EVALUATIONS, Evaluation(step, 64, nll))
