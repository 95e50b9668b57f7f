"""`assay explain`: the story of a document or of one token."""

from typing import Annotated

import typer
from rich.console import Console

from flows.commands.options import RunFolder
from weighting.output import open_data_output


def explain(
    run: RunFolder,
    doc_id: Annotated[str, typer.Argument(help="a document, or how its id begins")],
    token: Annotated[int | None, typer.Option(min=0, help="a token of it, counted from 0")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Tell a document's story, or why one of its tokens weighs what it weighs."""
    from flows.explain import explain_document, explain_token, write_json

    if as_json:
        write_json(run, doc_id, token, open_data_output())
    elif token is None:
        explain_document(run, doc_id, Console())
    else:
        explain_token(run, doc_id, token, Console())
