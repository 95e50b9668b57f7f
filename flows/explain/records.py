"""What a run knows of one input record, found by its id."""

from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np

from flows.database.shard_views import list_tables
from weighting.arrays import Bools, Float32s, Int32s, Int64s, Uint8s
from weighting.contracts.documents import Verdict
from weighting.contracts.sidecar import SPECIFIC
from weighting.errors import AssayError

SHORTEST = 6  # characters of an id that are enough, where they are unique
SHOWN = 5  # ids that a message lists

Record = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Kept:
    """A kept document: its text, and N tokens with all that is stored of them.

    Without a sidecar `starts_N` is None and `stored` empty; `weights_N` is None where the selection
    left the document out.
    """

    text: str
    edits: list[dict[str, int]]
    ids_N: Int64s
    weights_N: Float32s | None
    reasons_N: Uint8s | None
    starts_N: Int64s | None
    copies_N: Int32s
    contaminated_N: Bools
    stored: dict[str, Float32s]

    def find_end(self, position: int) -> int:
        """Return the end, exclusive, of the characters that a token holds, or holds a part of.

        The tokens of one character share its place.
        """
        assert self.starts_N is not None
        after = np.searchsorted(self.starts_N, self.starts_N[position], "right")
        return int(self.starts_N[after]) if after < len(self.starts_N) else len(self.text)


def find_record(connection: duckdb.DuckDBPyConnection, doc_id: str) -> Record:
    """Return the ledger's row of a record, given its id or the unique beginning of it.

    Raises:
        AssayError: none has it, several have it, or it is too short to tell.
    """
    if len(doc_id) < SHORTEST:
        raise AssayError(f"{doc_id!r}: give at least {SHORTEST} characters of the document's id")
    rows = fetch(
        connection,
        "SELECT * FROM ledger WHERE starts_with(doc_id, ?) ORDER BY doc_id LIMIT ?",
        doc_id,
        SHOWN + 1,
    )
    if not rows:
        raise AssayError(f"no document {doc_id!r} in this run; its ids stand in the view ledger")
    if len(rows) > 1 and rows[0]["doc_id"] != doc_id:
        names = ", ".join(str(row["doc_id"]) for row in rows[:SHOWN])
        more = ", …" if len(rows) > SHOWN else ""
        raise AssayError(f"{doc_id!r} is the beginning of several documents: {names}{more}")
    return rows[0]


def read_kept(connection: duckdb.DuckDBPyConnection, record: Record) -> Kept | None:
    """Return what is stored of a kept document; None of another, or where its tokens are nowhere.

    They are nowhere where the run has no sidecars and the selection left the document out.
    """
    if record["verdict"] != Verdict.KEPT:
        return None
    (document,) = fetch(connection, "FROM documents WHERE doc_id = ?", record["doc_id"])
    shard, sidecar = (
        _fetch_row(connection, view, record["doc_id"]) for view in ("shards", "signals")
    )
    if not (shard or sidecar):
        return None
    ids_N = np.array((sidecar or shard)["input_ids"], np.int64)
    signals = [name for name in sidecar if name not in ("doc_id", "source", "split", *SPECIFIC)]
    return Kept(
        document["text"],
        document["edits"],
        ids_N,
        np.array(shard["weights"], np.float32) if shard else None,
        np.array(shard["reasons"], np.uint8) if shard else None,
        np.array(sidecar["char_start"], np.int64) if sidecar else None,
        np.array(sidecar.get("copies", np.ones(len(ids_N))), np.int32),
        np.array(sidecar.get("contaminated", np.zeros(len(ids_N))), np.bool_),
        {name: np.array(sidecar[name], np.float32) for name in signals},
    )


def fetch(connection: duckdb.DuckDBPyConnection, sql: str, *parameters: object) -> list[Record]:
    """Return the rows of a query by column."""
    result = connection.execute(sql, parameters)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _fetch_row(connection: duckdb.DuckDBPyConnection, view: str, doc_id: str) -> Record:
    """Return the document's row in a view; empty where there is none, or no such view."""
    if view not in list_tables(connection):
        return {}
    return next(iter(fetch(connection, f"FROM {view} WHERE doc_id = ?", doc_id)), {})
