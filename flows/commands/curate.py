"""`assay curate`: from raw text to weighted token shards."""

from typing import Annotated

import typer

from flows.commands.options import Against, Beam, Json, Out, Overwrite, Workers
from flows.recipe.presets import list_presets
from weighting.storage.lock import locking

Paths = Annotated[
    list[str],
    typer.Argument(help="files, folders, globs, URLs, hf:NAME, hf-stream:NAME, python-docs[:MB]"),
]
RecipeName = Annotated[
    str,
    typer.Option("--recipe", help=f"a preset ({', '.join(list_presets())}) or a TOML file"),
]


def curate(
    paths: Paths,
    out: Out,
    recipe: RecipeName = "gopher",
    format_: Annotated[
        str | None,
        typer.Option("--format", help="the reader of all files, whatever their suffix"),
    ] = None,
    workers: Workers = None,
    overwrite: Overwrite = False,
    against: Against = None,
    beam: Beam = None,
    as_json: Json = False,
) -> None:
    """Clean, dedupe, tokenize and weigh a corpus."""
    from flows.operations.output import describe_run, telling

    with telling(as_json) as output:
        if beam:  # before all else: who mistyped one need not wait for what it has no use for
            from pipelines.engine.job_service import check_beam

            check_beam(beam, workers)
        from flows.operations.log import keeping_log
        from flows.recipe.sources import load_recipe, read_with
        from flows.run import presentation
        from flows.run.prepare import CurateRequest
        from flows.run.stages import run_stages

        chosen = read_with(load_recipe(recipe), format_)
        request = CurateRequest(paths, out, chosen, against or (), overwrite)
        with locking(out), keeping_log(out) as log:
            run_stages(request, output.console, workers, beam or (), log)
            presentation.present(out, output.console)
        output.facts |= describe_run(out)
