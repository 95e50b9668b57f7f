"""The Prefect flow: from raw text to a compared pair of training runs.

    prefect deployment run 'curate-and-compare/local' --param inputs='["corpus/*.jsonl.gz"]' ...

Tasks are thin: only paths and small summaries pass between them; every stage finds in the run
folder what the one before left, and skips what is done, so a retried or repeated run is cheap.
`assay curate` and `assay demo` call the same stages without Prefect.
"""

import os
from pathlib import Path
from typing import Any, TypedDict

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger
from rich.console import Console

from pipelines.engine.logs import quiet_beam
from weighting.errors import MayPass
from weighting.processes.parent import follow_parent
from weighting.storage.local_folder import read_folder
from weighting.storage.lock import locking

# What computes is imported by what runs, after this: Prefect loads this module for its hooks too.
quiet_beam()


class Summary(TypedDict):
    """What the flow returns: where the run is, and its headline numbers."""

    run: str
    read: int
    kept: int
    tokens: int
    verdicts: list[str]


def may_pass(task: Any, task_run: Any, state: Any) -> bool:  # noqa: ANN401, ARG001 - Prefect's
    """Say whether trying a task again may help: an input out of reach, a worker that was killed.

    What the user has to change is told once.
    """
    return isinstance(state.data, MayPass | ConnectionError | TimeoutError)


# A task leaves files in the run folder: there is no result to take from a cache.
AGAIN: Any = {
    "retries": 2,
    "retry_delay_seconds": 10,
    "retry_condition_fn": may_pass,
    "cache_policy": NO_CACHE,
}


@task(task_run_name="prepare", **AGAIN)
def prepare(inputs: list[str], out: str, recipe: str, overwrite: bool, against: list[str]) -> str:
    """Plan the work and claim the run folder; reads the inputs' bytes."""
    from flows.operations.disk import check_room
    from flows.operations.log import RunLog
    from flows.recipe.sources import load_recipe
    from flows.run import prepare as preparation

    earlier = [Path(name) for name in against]
    request = preparation.CurateRequest(
        inputs, Path(out), load_recipe(recipe), against=earlier, overwrite=overwrite
    )
    console = Console(stderr=True)
    run = preparation.prepare(request, console)
    if not run.is_done("verify"):
        check_room(run, console, RunLog(run.folder).open())
    return str(run.folder)


@task(task_run_name="{stage}", **AGAIN)
def run_data_stage(run: str, stage: str, workers: int | None, beam: list[str]) -> None:
    """Run one stage of `flows.run.stages.DATA_STAGES`."""
    from flows.run.session import open_session
    from flows.run.stages import DATA_STAGES

    session = open_session(Path(run), workers, beam_args=beam, tell=get_run_logger().info)
    DATA_STAGES[stage](Path(run), session)


@task(task_run_name="compare", cache_policy=NO_CACHE)
def compare(run: str, steps: int, seeds: int, jobs: int) -> list[str]:
    """Train plain and weighted on the run's shards; return the verdicts.

    Where a run failed, so does this, once the table is printed and written.
    """
    from flows.run import comparison
    from trainer.compare.ablate import check_complete

    config = comparison.plan_comparison(Path(run), steps=steps, seeds=seeds, jobs=jobs)
    results = comparison.compare_objectives(config, Console(stderr=True), get_run_logger().info)
    check_complete(results)
    return list(results.verdicts)


@task(task_run_name="present", cache_policy=NO_CACHE)
def present(run: str) -> None:
    """Build the database and the report."""
    from flows.run import presentation

    presentation.build_views(Path(run), Console(stderr=True))


def summarise(run: str, verdicts: list[str]) -> Summary:
    """Return the headline numbers of a finished run."""
    from weighting.contracts.manifest import read_manifest

    counts = read_manifest(Path(run)).counts
    return Summary(
        run=run,
        read=counts.documents.records.read,
        kept=counts.documents.records.kept,
        tokens=sum(split.tokens for split in counts.weights.splits.values()),
        verdicts=verdicts,
    )


@flow(name="curate-and-compare")
def curate_and_compare(
    inputs: list[str],
    out: str,
    recipe: str = "gopher",
    workers: int | None = None,
    overwrite: bool = False,
    steps: int = 0,
    seeds: int = 3,
    jobs: int = 1,
    against: tuple[str, ...] = (),
    beam: tuple[str, ...] = (),
) -> Summary:
    """Curate `inputs` into the run folder `out`; with `steps` > 0, train and compare on it.

    Documents of the runs `against`, and copies of them, are not kept again. `beam` are options for
    Beam, as `--runner=PortableRunner`.
    """
    from flows.operations.log import keeping_log
    from flows.run.folder import open_run
    from flows.run.session import open_session
    from flows.run.stages import DATA_STAGES, check_workers
    from pipelines.engine.job_service import check_beam

    if "PREFECT__FLOW_RUN_ID" in os.environ:  # a worker started this process, and is its parent
        follow_parent(os.getppid(), is_ours=False)
    options, folder = list(beam), read_folder(out)
    earlier = [str(read_folder(name)) for name in against]
    check_beam(options, workers)
    with locking(folder), keeping_log(folder) as log:  # in the process that outlives every task
        run = prepare(inputs, str(folder), recipe, overwrite, earlier)
        log.open()
        check_workers(open_run(folder), open_session(folder, workers, beam_args=options))
        for stage in DATA_STAGES:
            run_data_stage(run, stage, workers, options)
        verdicts = compare(run, steps, seeds, jobs) if steps else []
        present(run)
    summary = summarise(run, verdicts)
    get_run_logger().info("%(read)d records read, %(kept)d kept, %(tokens)d tokens", summary)
    return summary


if __name__ == "__main__":
    curate_and_compare.serve(name="local")
