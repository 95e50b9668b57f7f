"""`assay curate`: from raw text to weighted token shards."""

from typing import Annotated

import typer
from rich.console import Console

from flows.commands.options import Against, Beam, Out, Overwrite, Workers
from flows.recipe.presets import list_presets
from weighting.storage.lock import locking

RecipeName = Annotated[
    str,
    typer.Option("--recipe", help=f"a preset ({', '.join(list_presets())}) or a TOML file"),
]


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
    against: Against = None,
    beam: Beam = None,
) -> None:
    """Clean, dedupe, tokenize and weigh a corpus."""
    if beam:  # before all else: who mistyped one need not wait for what it has no use for
        from pipelines.engine.job_service import check_beam

        check_beam(beam, workers)
    from flows.recipe.sources import load_recipe
    from flows.run import presentation
    from flows.run.prepare import CurateRequest
    from flows.run.stages import run_stages

    console = Console()
    request = CurateRequest(paths, out, load_recipe(recipe), against or (), overwrite)
    with locking(out):
        run_stages(request, console, workers, beam or ())
        presentation.present(out, console)
