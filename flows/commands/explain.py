"""`assay explain`: the story of a document or of one token."""

from typing import Annotated

import typer

from flows.commands.options import Json, RunFolder


def explain(
    run: RunFolder,
    doc_id: Annotated[str, typer.Argument(help="a document, or how its id begins")],
    token: Annotated[int | None, typer.Option(min=0, help="a token of it, counted from 0")] = None,
    as_json: Json = False,
) -> None:
    """Tell a document's story, or why one of its tokens weighs what it weighs."""
    from flows.explain import explain_document, explain_token, tell_plain
    from flows.operations.output import telling
    from flows.operations.standing import require_finished

    with telling(as_json) as output:
        require_finished(run)
        if as_json:
            output.facts |= tell_plain(run, doc_id, token)
        elif token is None:
            explain_document(run, doc_id, output.console)
        else:
            explain_token(run, doc_id, token, output.console)
