"""The stages of a run, as plain functions of its folder; flows and commands call the same ones.

Each stage is skipped when it finished before, and goes on from its finished units when it did not.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.text import Text

from flows.operations.disk import check_room
from flows.operations.log import RunLog
from flows.operations.meter import Meter, collect_timings, measuring
from flows.run.checks import check_kept, check_quarantine
from flows.run.folder import Run, open_run
from flows.run.inputs import check_need
from flows.run.manifest import check_presence, describe_signals, publish_manifest, read_replays
from flows.run.prepare import CurateRequest, prepare
from flows.run.reference import train_reference
from flows.run.session import Session, open_session
from flows.visible import show
from pipelines import identity
from pipelines.curate.decontaminate import count_items, prepare_items
from pipelines.curate.estimate import estimate
from pipelines.curate.job import curate
from pipelines.engine.probe import probe
from pipelines.score.job import score
from pipelines.score.score_unit import locate_sidecars
from pipelines.score.statistics import write_signal_stats
from pipelines.settings import ContaminationSettings, Job
from pipelines.tokenize.job import count
from pipelines.tokenize.tokenizer import copy_tokenizer, train_tokenizer
from pipelines.verify.ledger import verify_records
from pipelines.verify.weights import verify_weights
from pipelines.weigh.job import weigh
from weighting.contracts.counts import Counts
from weighting.vocabulary import read_vocabulary

MEGABYTE = 1_000_000


def run_stage(run: Run, stage: str, session: Session, work: Callable[[Meter], None]) -> None:
    """Run one stage unless it finished before; measure it, and record that it did.

    What it alone has use for goes when it is recorded, also if a kill came between the two.
    """
    if run.is_done(stage):
        session.skip(stage)
    else:
        session.log.write("stage started", stage=stage)
        with measuring(run, stage) as meter:
            work(meter)
        timing = run.read_timing(stage)
        session.log.write(
            "stage finished",
            stage=stage,
            seconds=timing.attempts[-1].seconds,
            attempts=len(timing.attempts),
            **meter.amounts,
        )
    run.job.work.drop_spent(stage)


def curate_documents(folder: Path, session: Session) -> None:
    """Read, clean and dedupe: documents, dropped documents, ledger, quarantine."""
    run = open_run(folder)

    def work(meter: Meter) -> None:
        settings, progress = run.curate_settings(), session.follow()
        prepare_items(settings.contamination, run.job)
        items = describe_items(settings.contamination, run.job) if settings.contamination else ()
        for line in (*estimate(run.claim.units, settings).describe(), *items):
            session.console.print(Text(line, "dim"))
        curate(run.claim.units, settings, run.job, session.engine, progress)
        meter.amounts = {"records": progress.amounts["clean"]}
        check_quarantine(run)
        check_kept(folder)

    run_stage(run, "curate", session, work)


def describe_items(wanted: ContaminationSettings, job: Job) -> Iterator[str]:
    """Yield what is looked for of evaluation sets, a line for each."""
    for name, counts in count_items(job).items():
        line = f"evaluation set {show(name)}: {counts.items:,} items"
        hidden = counts.hidden
        if hidden:
            line += f", {hidden:,} of them too short to be found: under {wanted.shortest}"
        yield line


def make_tokenizer(folder: Path, session: Session) -> None:
    """Train the run's tokenizer, or copy the one that the recipe names."""
    run = open_run(folder)
    table = run.recipe.tokenizer
    target = folder / "tokenizer.json"

    def work(_: Meter) -> None:
        with session.console.status("training the tokenizer"):
            if table.path is not None:
                copy_tokenizer(Path(table.path), target, table.end_of_text)
                return
            documents = sorted((folder / "documents").glob("*.parquet"))
            train_tokenizer(documents, target, table.vocab_size, int(table.sample_mb * MEGABYTE))

    run_stage(run, "tokenizer", session, work)


def tokenize_documents(folder: Path, session: Session) -> None:
    """Encode the kept documents, split them, and count types and n-grams."""
    run = open_run(folder)

    def work(meter: Meter) -> None:
        progress = session.follow()
        count(run.sizes(), run.score_settings(), run.job, session.engine, progress)
        meter.amounts = {"tokens": progress.amounts["tokenize"]}

    run_stage(run, "tokenize", session, work)


def make_reference(folder: Path, session: Session) -> None:
    """Train the model that scores tokens, where the recipe wants one trained."""
    run = open_run(folder)
    if run.recipe.reference.train:
        run_stage(run, "reference", session, lambda _: train_reference(run, session))


def score_tokens(folder: Path, session: Session) -> None:
    """Give every token its signals: sidecars and their statistics."""
    run = open_run(folder)

    def work(meter: Meter) -> None:
        settings, workers = run.score_settings(), session.engine.workers
        if settings.model is not None:
            from flows.operations.scoring_cost import describe_cost  # with torch
            from pipelines.score.model_scorer import release_models

            for line in describe_cost(run, settings.model, workers):
                session.console.print(Text(line, "dim"))
            if workers > 1:  # each has models of its own
                release_models()
        progress = session.follow()
        score(run.sizes(), settings, run.job, session.engine, progress)
        meter.amounts = {"tokens": progress.amounts["score"]}
        write_signal_stats(run.job, read_vocabulary(folder / "tokenizer.json"))

    run_stage(run, "score", session, work)


def weigh_tokens(folder: Path, session: Session) -> None:
    """Weigh tokens by the recipe's policy: token shards."""
    run = open_run(folder)

    def work(meter: Meter) -> None:
        sidecars = locate_sidecars(run.job, run.score_settings().keep)
        settings, progress = run.recipe.weigh_settings(), session.follow()
        weigh(run.sizes(), settings, sidecars, run.job, session.engine, progress)
        meter.amounts = {"tokens": progress.amounts["weigh"]}

    run_stage(run, "weigh", session, work)


def verify_run(folder: Path, session: Session) -> None:
    """Check every invariant, write statistics and, last, the manifest; drop temporary files."""
    run = open_run(folder)

    def work(meter: Meter) -> None:
        with session.console.status("checking that all adds up"):
            documents = verify_records(run.job, run.claim.against)
            documents = replace(documents, replays=read_replays(folder))
            weights = verify_weights(run.job, run.recipe.weigh_settings(), documents)
            counts = Counts(documents, describe_signals(run), weights)
            versions = identity.list_versions(run.recipe.reference.find_kinds())
            publish_manifest(run, counts, versions, collect_timings(run, "verify", meter))

    if run.is_done("verify"):
        check_presence(folder)
    run_stage(run, "verify", session, work)
    shutil.rmtree(folder / "units", ignore_errors=True)  # not before the stage is known to be done


DATA_STAGES: Mapping[str, Callable[[Path, Session], None]] = {
    "curate": curate_documents,
    "tokenizer": make_tokenizer,
    "tokenize": tokenize_documents,
    "reference": make_reference,
    "score": score_tokens,
    "weigh": weigh_tokens,
    "verify": verify_run,
}


def run_stages(
    request: CurateRequest,
    console: Console,
    workers: int | None = None,
    beam_args: Sequence[str] = (),
    log: RunLog | None = None,
) -> None:
    """Make the data of a run: claim its folder, then every stage that is not done yet.

    The options for Beam have been checked (`pipelines.engine.job_service.check_beam`).
    """
    log = log or RunLog(request.out)
    run = prepare(request, console, log)
    session = open_session(run.folder, workers, console, beam_args, log.open())
    if not run.is_done("verify"):
        check_room(run, console, log)
    check_workers(run, session)
    for stage in DATA_STAGES.values():
        stage(run.folder, session)


def check_workers(run: Run, session: Session) -> None:
    """Check that the workers have room for the models, or that those of a job service can work.

    Raises:
        AssayError: too little memory for so many, or a worker elsewhere does not see the run
            folder, or runs other code.
    """
    reference = run.recipe.reference
    if any(reference.list_named()) and session.engine.endpoint() is None:
        check_need(reference, 1 if run.is_done("score") else session.engine.workers)
    for worker in probe(session.engine, reference.find_kinds()):
        line = f"worker on {worker.host}, in {worker.here}: same code, sees the run folder"
        session.console.print(Text(line, "dim"), soft_wrap=True)
