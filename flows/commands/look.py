"""`assay look`: what would be read, before any run."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from flows.commands.curate import Paths


def look(
    paths: Paths,
    recipe: Annotated[
        str | None, typer.Option("--recipe", help="read as a preset or a TOML file says")
    ] = None,
    documents: Annotated[int, typer.Option(min=0, help="documents to show of each input")] = 3,
    write: Annotated[
        Path | None, typer.Option("--write", help="write the suggested recipe to a TOML file")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Show what a run would read: formats, fields, first documents, what is left out; a recipe."""
    from flows.look.page import print_suggestion, print_survey, write_json
    from flows.look.survey import survey
    from flows.look.trial import find_reading, suggest
    from flows.recipe.sources import load_recipe
    from flows.recipe.toml import write_toml
    from pipelines.readers.records import ReadOptions
    from weighting.storage.files import write_text

    asked = load_recipe(recipe).read if recipe else ReadOptions()
    found = survey(paths, asked)
    console = Console()
    if not as_json:
        print_survey(found, asked, documents, console)
    options, reasons = find_reading(found, asked)
    suggestion = suggest(found if options == asked else survey(paths, options), options, reasons)
    if as_json:
        write_json(found, suggestion, documents, paths, sys.stdout)
    elif write is None:
        print_suggestion(suggestion, paths, console)
    if write is not None:
        write_text(write, write_toml(suggestion.recipe))
