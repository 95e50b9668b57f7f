"""The stages of a run, as plain functions of its folder; flows and commands call the same ones.

Each stage is skipped when it finished before, and goes on from its finished units when it did not.
"""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.text import Text

from flows.database.catalog import build_catalog
from flows.recipe.schema import Recipe
from flows.report import write_report
from flows.run.folder import Run, claim_run, list_versions, open_run
from flows.run.funnel import describe_skipped
from flows.run.inputs import check_models, digest_files, digest_runs, locate, plan_units
from flows.run.manifest import check_presence, describe_signals, publish_manifest, read_replays
from flows.run.reference import train_reference
from flows.visible import show
from pipelines.curate.decontaminate import count_items, prepare_items
from pipelines.curate.estimate import estimate
from pipelines.curate.job import curate
from pipelines.engine.progress import Progress
from pipelines.engine.runner import Engine
from pipelines.score.job import score
from pipelines.score.score_unit import locate_sidecars
from pipelines.score.statistics import write_signal_stats
from pipelines.settings import Job
from pipelines.tokenize.encoder import Encoder
from pipelines.tokenize.job import count
from pipelines.tokenize.tokenizer import copy_tokenizer, train_tokenizer
from pipelines.verify.records import (
    count_funnel,
    list_skipped,
    read_ledger,
    sum_skipped,
    verify_records,
)
from pipelines.verify.weights import verify_weights
from pipelines.weigh.job import weigh
from pipelines.work.units import fingerprint
from trainer.machine.resources import count_cores
from weighting.contracts.counts import Counts
from weighting.errors import AssayError

WORKERS_FROM = 50_000_000  # bytes of text from which starting worker processes pays
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Session:
    """How stages run and where they report: Beam's engine and the console."""

    engine: Engine
    console: Console

    def skip(self, stage: str) -> None:
        """Say that a stage is done already."""
        self.console.print(f"{stage:<10} finished before, skipped", style="dim")


def prepare(
    inputs: Sequence[str],
    out: Path,
    recipe: Recipe,
    overwrite: bool,
    session: Session,
    against: Sequence[Path] = (),
) -> Run:
    """Plan the units, hash the inputs, and claim the run folder.

    Documents that the runs `against` have, or copies of them, are not to be kept again.
    """
    check_models(recipe)
    with session.console.status("looking at the inputs"):
        planned = plan_units(inputs)
        earlier = sorted({run.absolute() for run in against})
        digests = [
            *fingerprint(planned.units),
            *digest_files(recipe),
            *digest_runs(earlier, out, recipe),
        ]
    for path in planned.ignored:
        session.console.print(f"ignored {path}: no reader for this kind of file", style="yellow")
    if not planned.units:
        raise AssayError(f"nothing to read in {', '.join(inputs)}")
    named = locate(inputs)
    return claim_run(
        out, recipe, digests, named, planned.units, overwrite, [str(run) for run in earlier]
    )


def open_session(
    folder: Path | None = None,
    workers: int | None = None,
    console: Console | None = None,
    beam_args: Sequence[str] = (),
) -> Session:
    """Return a session. Without a number of workers, a large run takes one process a core.

    `folder` is a claimed run, where there is one already.
    """
    if workers is None:
        size = sum(open_run(folder).sizes().values()) if folder else 0
        workers = count_cores() if size >= WORKERS_FROM else 1
    return Session(Engine(workers, tuple(beam_args)), console or Console(stderr=True))


def run_stage(run: Run, stage: str, session: Session, work: Callable[[], object]) -> None:
    """Run one stage unless it finished before; record that it did."""
    if run.is_done(stage):
        session.skip(stage)
        return
    start = time.monotonic()
    work()
    run.finish(stage, time.monotonic() - start)


def curate_documents(folder: Path, session: Session) -> None:
    """Read, clean and dedupe: documents, dropped documents, ledger, quarantine."""
    run = open_run(folder)

    def work() -> None:
        settings = run.curate_settings()
        prepare_items(settings.contamination, run.job)
        for line in (*estimate(run.units, settings).describe(), *describe_items(run.job)):
            session.console.print(Text(line, "dim"))
        curate(run.units, settings, run.job, session.engine, Progress(session.console))
        check_quarantine(run)

    run_stage(run, "curate", session, work)


def describe_items(job: Job) -> Iterator[str]:
    """Yield what is looked for of evaluation sets, a line for each."""
    for name, counts in count_items(job).items():
        line = f"evaluation set {show(name)}: {counts.items:,} items"
        hidden = counts.hidden
        yield f"{line}, {hidden:,} of them too short to be found" if hidden else line


def make_tokenizer(folder: Path, session: Session) -> None:
    """Train the run's tokenizer, or copy the one that the recipe names."""
    run = open_run(folder)
    table = run.recipe.tokenizer
    target = folder / "tokenizer.json"

    def work() -> None:
        with session.console.status("training the tokenizer"):
            if table.path is not None:
                copy_tokenizer(Path(table.path), target)
                return
            documents = sorted((folder / "documents").glob("*.parquet"))
            train_tokenizer(documents, target, table.vocab_size, int(table.sample_mb * MEGABYTE))

    run_stage(run, "tokenizer", session, work)


def tokenize_documents(folder: Path, session: Session) -> None:
    """Encode the kept documents, split them, and count types and n-grams."""
    run = open_run(folder)

    def work() -> None:
        progress = Progress(session.console)
        count(run.sizes(), run.score_settings(), run.job, session.engine, progress)

    run_stage(run, "tokenize", session, work)


def make_reference(folder: Path, session: Session) -> None:
    """Train the model that scores tokens, where the recipe wants one trained."""
    run = open_run(folder)
    if run.recipe.reference.train:
        run_stage(run, "reference", session, lambda: train_reference(run, session.console))


def score_tokens(folder: Path, session: Session) -> None:
    """Give every token its signals: sidecars and their statistics."""
    run = open_run(folder)

    def work() -> None:
        settings = run.score_settings()
        score(run.sizes(), settings, run.job, session.engine, Progress(session.console))
        write_signal_stats(run.job, Encoder(folder / "tokenizer.json"))

    run_stage(run, "score", session, work)


def weigh_tokens(folder: Path, session: Session) -> None:
    """Weigh tokens by the recipe's policy: token shards."""
    run = open_run(folder)

    def work() -> None:
        sidecars = locate_sidecars(run.job, run.score_settings().keep)
        settings = run.recipe.weigh_settings()
        weigh(run.sizes(), settings, sidecars, run.job, session.engine, Progress(session.console))

    run_stage(run, "weigh", session, work)


def verify_run(folder: Path, session: Session) -> None:
    """Check every invariant, write statistics and, last, the manifest; drop temporary files."""
    run = open_run(folder)

    def work() -> None:
        with session.console.status("checking that all adds up"):
            documents = verify_records(run.job, run.against)
            documents = replace(documents, replays=read_replays(folder))
            weights = verify_weights(run.job, run.recipe.weigh_settings(), documents)
            counts = Counts(documents, describe_signals(run), weights)
            publish_manifest(run, counts, list_versions())

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


def present(folder: Path, session: Session) -> None:
    """Build the database and the report from the run's files."""
    with session.console.status("building database and report"):
        build_catalog(folder)
        write_report(folder)


def check_quarantine(run: Run) -> None:
    """Raise AssayError where more records could not be read than the recipe allows."""
    records = count_funnel(read_ledger(run.folder))["records"]
    share = records.quarantined / max(1, records.read)
    if records.read == 0:
        skipped = describe_skipped(sum_skipped(list_skipped(run.job)))
        raise AssayError("the inputs hold no record" + (f"; {skipped}" if skipped else ""))
    if share > run.recipe.limits.max_quarantined:
        raise AssayError(
            f"{records.quarantined} of {records.read} records could not be read, more than "
            f"limits.max_quarantined = {run.recipe.limits.max_quarantined:g} allows; see "
            f"{run.folder / 'quarantine'}"
        )
