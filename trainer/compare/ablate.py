"""Ablations: named arms times seeds, every seed on identical batches, each run a process.

    OUT/plan.json       arms, seeds, configs and data, see trainer.compare.plan
    OUT/ARM/seed-S/     a run, see trainer.run.train; log.txt is what its process said
    OUT/results.json    written last: every run, means, paired differences, verdicts
    OUT/curves.png

OUT is held from the first check to the last file. Running again skips finished runs, and those that
diverged, and resumes the others. A run that fails is a row of the table; the others go on.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from trainer.compare.collect import collect
from trainer.compare.compare import Place
from trainer.compare.curves import PICTURE, draw_curves
from trainer.compare.plan import PLAN, Plan, find_plan
from trainer.compare.planning import AblationConfig, Run, make_plan
from trainer.compare.results import RESULTS, AblationResults
from trainer.config.flat import flatten
from trainer.display.progress import Steps
from trainer.machine.resources import count_cores
from trainer.run import checkpoint
from trainer.run.identity import check_identity
from trainer.run.metrics import METRICS, read_last_step
from trainer.run.result import find_divergence, find_result
from weighting.errors import AssayError
from weighting.processes.children import Command, run_children
from weighting.storage.files import write_json
from weighting.storage.folder_kinds import ABLATION, name_kind
from weighting.storage.json_records import write_record
from weighting.storage.lock import locking


class Incomplete(AssayError):
    """An ablation's runs have ended, and not all of them have a result."""

    exit_code = 1


def ablate(
    config: AblationConfig,
    progress: Steps | None = None,
    warn: Callable[[str], None] = lambda line: None,  # noqa: ARG005 - nobody asks
) -> AblationResults:
    """Train what is not finished, compare, and return what results.json holds.

    Runs without a result are among what is returned: see `check_complete`. `progress` is called
    with the steps done and the steps in all, over all runs; `warn` with what is odd about the data,
    and with why there is no picture.

    Raises:
        AssayError: impossible arms, unusable data, folders that hold other runs, or another
            process works in the folder.
        Interrupted: a signal came; the running runs were saved.
    """
    _check_place(config.out)
    with locking(config.out):
        plan, runs = make_plan(config)
        for line in dict.fromkeys(line for run in runs for line in run.warnings):
            warn(line)
        waiting = _find_waiting(runs)
        _begin(plan, config.out, waiting)

        def show() -> None:
            if progress is not None:
                done = sum(read_last_step(run.out / METRICS) for run in runs)
                progress(done, config.base.steps * len(runs))

        results = collect(plan, config.out, _train(waiting, _count_jobs(config, runs), show))
        write_record(config.out / RESULTS, results)
        _draw(config.out, results, warn)
    return results


def check_complete(results: AblationResults) -> None:
    """Raise Incomplete that names the runs without a result, where there are any."""
    missing = results.list_missing()
    if missing:
        planned = len(results.plan.arms) * len(results.plan.seeds)
        raise Incomplete(f"{len(missing)} of {planned} runs have no result: {'; '.join(missing)}")


def _check_place(out: Path) -> None:
    kind = name_kind(out)
    if kind not in ("", ABLATION):
        raise AssayError(f"{out}: is {kind}; give the ablation a folder of its own")


def _find_waiting(runs: Sequence[Run]) -> list[Run]:
    """Return the runs that are yet to be finished.

    Raises:
        AssayError: a folder holds, or has begun, a run of another config or of other data.
    """
    waiting = []
    for run in runs:
        identity = run.arm.identify(run.seed)
        if find_result(identity, run.out) is not None:
            continue
        latest = checkpoint.find_latest(run.out / "checkpoints")
        if latest is not None:
            check_identity(latest, checkpoint.read_record(latest), identity)
        if find_divergence(identity, run.out) is None:
            waiting.append(run)
    return waiting


def _begin(plan: Plan, out: Path, waiting: Sequence[Run]) -> None:
    """Write the plan; results of another plan, or of one that goes on, are taken away."""
    if waiting or find_plan(out) != plan:
        for name in (RESULTS, PICTURE):
            (out / name).unlink(missing_ok=True)
    write_record(out / PLAN, plan)


def _count_jobs(config: AblationConfig, runs: Sequence[Run]) -> int:
    """Return how many runs train at once: as asked, else one a core, and one on CUDA."""
    if config.jobs:
        return min(config.jobs, count_cores())
    return 1 if any(run.config.device == "cuda" for run in runs) else count_cores()


def _train(waiting: Sequence[Run], jobs: int, show: Callable[[], None]) -> dict[Place, str]:
    """Run every training in a process of its own; return how those ended that failed."""
    endings = run_children([_command(run) for run in waiting], jobs, show)
    return {
        (run.arm.name, run.seed): f"failed: {ending.message}"
        for run, ending in zip(waiting, endings, strict=True)
        if ending.failed
    }


def _draw(out: Path, results: AblationResults, warn: Callable[[str], None]) -> None:
    """Draw the curves; results do not depend on whether a picture can be made of them."""
    try:
        draw_curves(out, results)
    except Exception as error:
        warn(f"{out / PICTURE}: cannot be drawn ({error})")


def _command(run: Run) -> Command:
    path = run.out / "config.json"
    write_json(path, flatten(run.config))
    arguments = ("trainer", "train", "--config", str(path), "--out", str(run.out))
    return Command(f"arm {run.arm.name}, seed {run.seed}", arguments, run.out / "log.txt")
