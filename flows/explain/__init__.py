"""The story of one document or one token: where it came from, what it weighs, and why."""

import math
from pathlib import Path
from typing import Any

from rich.console import Console

from flows.database.shard_views import open_database
from flows.explain.document_page import print_document
from flows.explain.documents import describe_document
from flows.explain.records import find_record
from flows.explain.token_page import print_token
from flows.explain.tokens import describe_token
from weighting.contracts.manifest import read_manifest

__all__ = ["explain_document", "explain_token", "tell", "tell_plain"]


def explain_document(run: Path, doc_id: str, console: Console) -> None:
    """Print the story of a document, given its id or the unique beginning of it.

    Raises:
        AssayError: no such run or document, or the beginning fits several.
    """
    print_document(tell(run, doc_id), console)


def explain_token(run: Path, doc_id: str, position: int, console: Console) -> None:
    """Print the story of the token at a position, from 0, of a kept document.

    Raises:
        AssayError: as `explain_document`, or the document has no such token.
    """
    print_token(tell(run, doc_id, position), console)


def tell_plain(run: Path, doc_id: str, position: int | None) -> dict[str, Any]:
    """Return the story of a document or, given a position, of its token, as JSON has values.

    Raises:
        AssayError: as `explain_document` and `explain_token`.
    """
    return {name: make_plain(value) for name, value in tell(run, doc_id, position).items()}


def tell(run: Path, doc_id: str, position: int | None = None) -> dict[str, Any]:
    """Return the story of a document, or of its token at a position, as plain values.

    Raises:
        AssayError: as `explain_document` and `explain_token`.
    """
    manifest = read_manifest(run)
    with open_database(run) as connection:
        record = find_record(connection, doc_id)
        if position is None:
            return describe_document(connection, manifest, record)
        return describe_token(connection, manifest, record, position)


def make_plain(value: object) -> object:
    """Return a value of DuckDB as JSON has it: bytes as hex, no number that is not finite."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case bytes():
            return value.hex()
        case dict():
            return {str(key): make_plain(item) for key, item in value.items()}
        case list() | tuple():
            return [make_plain(item) for item in value]
        case _:
            return str(value)
