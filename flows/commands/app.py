"""The `assay` command."""

import signal
import sys
from pathlib import Path
from typing import Annotated

from pipelines.engine.logs import quiet_beam

_handler = signal.getsignal(signal.SIGINT)
if _handler is signal.default_int_handler:  # Ctrl-C while the libraries load: no traceback
    signal.signal(signal.SIGINT, signal.SIG_DFL)

quiet_beam()  # before Beam is imported, which logs when it is

from flows.privacy import switch_off_telemetry  # noqa: E402

switch_off_telemetry()

import typer  # noqa: E402
from rich.console import Console  # noqa: E402

from flows import explain as stories  # noqa: E402
from flows.commands.recipes import recipes  # noqa: E402
from flows.database import query as queries  # noqa: E402
from flows.interrupt import catch_signals, leave  # noqa: E402
from flows.recipe.key_values import read_key_values  # noqa: E402
from flows.recipe.sources import list_presets, load_recipe  # noqa: E402
from flows.report import NAME  # noqa: E402
from flows.run import comparison, stages  # noqa: E402
from flows.run.folder import open_run  # noqa: E402
from flows.run.replay import replay as read_again  # noqa: E402
from flows.run.reweigh import reweigh  # noqa: E402
from flows.run.summary import print_outcome, print_paths, print_summary  # noqa: E402
from trainer.machine.resources import count_cores  # noqa: E402
from weighting.contracts.manifest import check_files, read_manifest  # noqa: E402
from weighting.errors import AssayError  # noqa: E402
from weighting.policies.registry import POLICIES  # noqa: E402
from weighting.storage.lock import locking  # noqa: E402

if _handler is signal.default_int_handler:
    signal.signal(signal.SIGINT, _handler)

DEMO_CORPUS = "python-docs:10"  # MB of documentation; about 3 M tokens are left of it
DEMO_STEPS = 1000
DEMO_SEEDS = 3

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Find the gold in a pretraining corpus, and measure whether finding it helped.",
)
app.add_typer(recipes, name="recipe")

Out = Annotated[Path, typer.Option("--out", help="run folder to write")]
RecipeName = Annotated[
    str,
    typer.Option("--recipe", help=f"a preset ({', '.join(list_presets())}) or a TOML file"),
]
Workers = Annotated[
    int | None,
    typer.Option("--workers", min=1, help="processes; by default all cores if it pays"),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="replace a run of other inputs, recipe or code")
]
RunFolder = Annotated[Path, typer.Argument(help="run folder", metavar="RUN")]


@app.command()
def demo(
    out: Out = Path("runs/demo"),
    corpus: Annotated[str, typer.Option(help="what to curate")] = DEMO_CORPUS,
    steps: Annotated[int, typer.Option(min=1, help="training steps of each run")] = DEMO_STEPS,
    seeds: Annotated[int, typer.Option(min=1, help="seeds of each arm")] = DEMO_SEEDS,
    workers: Workers = None,
    overwrite: Overwrite = False,
) -> None:
    """From the documentation on this machine to a compared pair of training runs."""
    workers = workers or count_cores()
    console = Console()
    with locking(out):
        _curate([corpus], out, "python-docs", workers, overwrite, console)
        print_summary(out, console)
        config = comparison.plan_comparison(out, steps, seeds, jobs=count_cores())
        console.rule("plain against weighted next-token training")
        comparison.compare_objectives(config, console)
        stages.present(out, stages.open_session(console=console))
        print_paths(out, console)


@app.command()
def curate(
    paths: Annotated[
        list[str],
        typer.Argument(
            help="files, folders, globs, URLs, hf:NAME, hf-stream:NAME, python-docs[:MB]"
        ),
    ],
    out: Out,
    recipe: RecipeName = "gopher",
    workers: Workers = None,
    overwrite: Overwrite = False,
    against: Annotated[
        list[Path] | None,
        typer.Option("--against", help="an earlier run whose documents are not to come again"),
    ] = None,
    beam: Annotated[
        list[str] | None,
        typer.Option("--beam", help="option for Beam, as --beam=--runner=PortableRunner"),
    ] = None,
) -> None:
    """Clean, dedupe, tokenize and weigh a corpus."""
    console = Console()
    with locking(out):
        _curate(paths, out, recipe, workers, overwrite, console, beam or [], against or [])
        _present(out, console)


@app.command()
def weigh(
    run: RunFolder,
    out: Out,
    policy: Annotated[str, typer.Option(help=f"one of {', '.join(POLICIES)}")] = "soft",
    dials: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="a key of the recipe's table weights"),
    ] = None,
    select: Annotated[
        str | None,
        typer.Option(help="keep the documents richest in: golden, a signal; or random ones"),
    ] = None,
    tokens: Annotated[int | None, typer.Option(min=1, help="budget of --select")] = None,
    seed: Annotated[int, typer.Option(min=0, help="of --select, for documents that tie")] = 0,
    workers: Workers = None,
    overwrite: Overwrite = False,
) -> None:
    """Weigh the tokens of a run by another policy, into a run folder of its own."""
    console = Console()
    selection = {"by": select, "tokens": tokens, "seed": seed}
    with locking(out):
        session = stages.open_session(run, workers, console)
        weights = read_key_values(dials or [])
        if "policy" in weights:
            raise AssayError("give the policy as --policy, not with --set")
        weights["policy"] = policy
        reweigh(run, out, weights, selection, overwrite, session)
        _present(out, console)


@app.command()
def explain(
    run: RunFolder,
    doc_id: Annotated[str, typer.Argument(help="a document, or how its id begins")],
    token: Annotated[int | None, typer.Option(min=0, help="a token of it, counted from 0")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Tell a document's story, or why one of its tokens weighs what it weighs."""
    if as_json:
        stories.write_json(run, doc_id, token, sys.stdout)
    elif token is None:
        stories.explain_document(run, doc_id, Console())
    else:
        stories.explain_token(run, doc_id, token, Console())


@app.command()
def replay(
    run: RunFolder,
    paths: Annotated[
        list[str] | None, typer.Argument(help="the inputs, where they lie elsewhere now")
    ] = None,
    text_field: Annotated[
        str | None, typer.Option(help="read.text_field for what could not be read")
    ] = None,
    source_field: Annotated[str | None, typer.Option(help="likewise, read.source_field")] = None,
    extractor: Annotated[str | None, typer.Option(help="likewise, read.extractor")] = None,
    workers: Workers = None,
) -> None:
    """Read a run's quarantined records again after a fix, and merge what is recovered."""
    console = Console()
    given = {"text_field": text_field, "source_field": source_field, "extractor": extractor}
    fields = {key: value for key, value in given.items() if value is not None}
    session = stages.open_session(run, workers, console)
    with locking(run):
        outcome = read_again(run, fields, paths or [], session)
        if outcome is None:
            console.print("nothing is quarantined; the run stays as it is")
            return
        print_outcome(outcome, console)
        if not (run / NAME).exists():  # the report of the state before went with it
            _present(run, console)


@app.command()
def query(
    run: RunFolder,
    sql: Annotated[str, typer.Argument(help="a SELECT over the run's tables and views")],
    limit: Annotated[int, typer.Option(min=1, help="rows to print")] = 50,
    form: Annotated[str, typer.Option("--format", help="table, csv or json")] = "table",
) -> None:
    """Ask a run's database a question in SQL."""
    if form == "table":
        queries.run_query(run, sql, Console(), limit)
    else:
        queries.write_query(run, sql, sys.stdout, form)


@app.command()
def report(run: RunFolder) -> None:
    """Build a run's database and HTML report again, e.g. after an ablation."""
    open_run(run)
    with locking(run):
        _present(run, Console())


@app.command()
def check(run: RunFolder) -> None:
    """Compare every output of a run with the checksums of its manifest."""
    manifest = read_manifest(run)
    check_files(run, manifest.files)
    Console().print(f"{len(manifest.files)} files, every checksum right", highlight=False)


def _curate(
    paths: list[str],
    out: Path,
    recipe: str,
    workers: int | None,
    overwrite: bool,
    console: Console,
    beam_args: list[str] | None = None,
    against: list[Path] | None = None,
) -> None:
    session = stages.open_session(console=console, beam_args=beam_args or [])
    run = stages.prepare(paths, out, load_recipe(recipe), overwrite, session, against or [])
    session = stages.open_session(run.folder, workers, console, beam_args or [])
    for stage in stages.DATA_STAGES.values():
        stage(out, session)


def _present(run: Path, console: Console) -> None:
    stages.present(run, stages.open_session(console=console))
    print_summary(run, console)
    print_paths(run, console)


def main() -> None:
    """Run the command; whatever ends it early is told in one line, if it is known."""
    catch_signals()
    try:
        app()
    except Exception as error:
        leave(error)


if __name__ == "__main__":
    main()
