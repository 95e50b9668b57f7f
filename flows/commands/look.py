"""`assay look`: what would be read, before any run."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.curate import Paths
from flows.commands.options import Json


def look(
    paths: Paths,
    recipe: Annotated[
        str | None, typer.Option("--recipe", help="read as a preset or a TOML file says")
    ] = None,
    documents: Annotated[int, typer.Option(min=0, help="documents to show of each input")] = 3,
    write: Annotated[
        Path | None, typer.Option("--write", help="write the suggested recipe to a TOML file")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what a run would read: formats, fields, first documents, what is left out; a recipe."""
    from flows.look.layout import (
        describe_suggestion,
        describe_survey,
        print_suggestion,
        print_survey,
    )
    from flows.look.survey import survey
    from flows.look.trial import find_reading, suggest
    from flows.operations.output import telling
    from flows.recipe.sources import load_recipe
    from flows.recipe.toml import write_toml
    from pipelines.readers.records import ReadOptions
    from weighting.storage.files import write_text

    with telling(as_json) as output:
        asked = load_recipe(recipe).read if recipe else ReadOptions()
        found = survey(paths, asked)
        output.facts |= describe_survey(found, documents)
        print_survey(found, asked, documents, output.console)
        options, reasons = find_reading(found, asked)
        again = found if options == asked else survey(paths, options)
        suggestion = suggest(again, options, reasons)
        looked_at = [*paths, *(["--recipe", recipe] if recipe else [])]
        output.facts["suggested"] = describe_suggestion(suggestion, looked_at)
        if write is None:
            print_suggestion(suggestion, looked_at, output.console)
        else:
            write_text(write, write_toml(suggestion.recipe))
