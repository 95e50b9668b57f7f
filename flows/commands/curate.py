"""`assay curate`: from raw text to weighted token shards."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from flows.commands.options import Out, Overwrite, Workers
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
    format_: Annotated[
        str | None,
        typer.Option("--format", help="the reader of all files, whatever their suffix"),
    ] = None,
    workers: Workers = None,
    overwrite: Overwrite = False,
    against: Annotated[
        list[Path] | None,
        typer.Option("--against", help="an earlier run whose documents are not kept again"),
    ] = None,
    beam: Annotated[
        list[str] | None,
        typer.Option("--beam", help="option for Beam, as --beam=--runner=PortableRunner"),
    ] = None,
) -> None:
    """Clean, dedupe, tokenize and weigh a corpus."""
    from flows.recipe.sources import load_recipe, read_with
    from flows.run import presentation
    from flows.run.prepare import CurateRequest
    from flows.run.stages import run_stages

    console = Console()
    chosen = read_with(load_recipe(recipe), format_)
    request = CurateRequest(paths, out, chosen, against or (), overwrite)
    with locking(out):
        run_stages(request, console, workers, beam or ())
        presentation.present(out, console)
