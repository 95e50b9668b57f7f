"""From the folder of an ablation, finished or not, or of one run, to its results."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from trainer.compare.compare import Place, compare
from trainer.compare.plan import Plan, PlannedArm, find_plan, find_run
from trainer.compare.results import RESULTS, AblationResults, read_results
from trainer.run.identity import RunIdentity
from trainer.run.metrics import METRICS, read_last_step
from trainer.run.result import (
    DIVERGED,
    RESULT,
    Divergence,
    RunResult,
    find_divergence,
    find_result,
)
from weighting.errors import AssayError, BrokenContract
from weighting.storage.folder_kinds import TRAINING, name_kind
from weighting.storage.json_records import read_record

ABLATIONS = "ablations"  # where runs of assay have theirs


def collect(plan: Plan, out: Path, failed: Mapping[Place, str]) -> AblationResults:
    """Compare the finished runs of a plan; `failed` says what is known of runs that failed.

    Only runs whose recorded config and data are the planned ones are among them.

    Raises:
        AssayError: two runs of one seed did not see the same tokens.
    """
    runs: dict[Place, RunResult] = {}
    missing: dict[Place, str] = {}
    for arm, seed in plan.list_runs():
        folder, place = find_run(out, arm.name, seed), (arm.name, seed)
        found = find_end(arm.identify(seed), folder)
        if isinstance(found, RunResult):
            runs[place] = found
        else:
            missing[place] = found or failed.get(place) or _tell_step(folder, plan)
    return compare(plan, runs, missing)


def find_end(identity: RunIdentity, folder: Path) -> RunResult | str | None:
    """Return a run's result, else why it will have none, else None: it is yet to be finished."""
    try:
        result = find_result(identity, folder)
    except BrokenContract as error:
        return f"its result is damaged ({error})"
    except AssayError as error:
        return f"its folder holds another run ({error})"
    if result is not None:
        return result
    diverged = find_divergence(identity, folder)
    return f"diverged at step {diverged.step}" if diverged else None


def find_results(folder: Path) -> AblationResults:
    """Return the results of the ablation or of the run in a folder, as far as there are any.

    Raises:
        AssayError: there is neither.
        BrokenContract: a file there is damaged.
    """
    plan = find_plan(folder)
    if (folder / RESULTS).exists():
        results = read_results(folder)
        if plan is None or plan.sha256 == results.plan_sha256:
            return results
    if plan is not None:
        return collect(plan, folder, {})
    if (folder / RESULT).exists():
        return _present(read_record(RunResult, folder / RESULT), folder.name)
    raise AssayError(f"{folder}: {_tell_nothing(folder)}")


def _present(result: RunResult, name: str) -> AblationResults:
    """Return a run as an ablation of one arm and one seed."""
    arm = PlannedArm(name=name, colour=0, overrides={}, identity=get_identity(result))
    seed = int(result.config["seed"])
    plan = Plan(baseline=name, arms=(arm,), seeds=(seed,), base=result.config)
    return compare(plan, {(name, seed): result}, {})


def get_identity(result: RunResult) -> RunIdentity:
    """Return the part of a result that is a run's identity."""
    return RunIdentity(**{item.name: getattr(result, item.name) for item in fields(RunIdentity)})


def _tell_step(folder: Path, plan: Plan) -> str:
    step, steps = read_last_step(folder / METRICS), plan.base["steps"]
    return f"not finished: step {step} of {steps}" if step else "not begun"


def _tell_nothing(folder: Path) -> str:
    """Return why there are no results, and what to do."""
    if (folder / DIVERGED).exists():
        return f"the run diverged: {read_record(Divergence, folder / DIVERGED).message}"
    if name_kind(folder) == TRAINING:
        return "the run is not finished; the same `trainer train` goes on with it"
    found = sorted(path.parent for path in (folder / ABLATIONS).glob(f"*/{RESULTS}"))
    there = (
        f"it has {', '.join(map(str, found))}"
        if found
        else "give the folder of `trainer ablate` or `trainer train`"
    )
    return f"no ablation and no finished run here; {there}"
