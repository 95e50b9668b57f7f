"""The views of a run's token shards, which are Arrow files: DuckDB reads them through PyArrow.

They are added only where a question is about them, since loading PyArrow takes a third of the time
that a small question does.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from flows.database.catalog import open_catalog
from flows.database.meanings import describe_columns
from weighting.contracts.reasons import Reason
from weighting.errors import AssayError

# What SQL names where it may be about shards: the views, near misses, and lists of all there is.
MENTIONED = re.compile(
    r"shard|token_w|explain|relation|duckdb_|information_schema|sqlite_master|pg_"
    r"|\b(show|describe|summarize|pragma)\b",
    re.IGNORECASE,
)
_REASONS = ", ".join(
    f"CASE WHEN flags & {reason.value} > 0 THEN '{str(reason.name).lower()}' END"
    for reason in Reason
)
_TOKEN_WEIGHTS = f"""
CREATE TEMP VIEW token_weights AS
SELECT
    doc_id, position, token_id, weight,
    [name FOR name IN [{_REASONS}] IF name IS NOT NULL] AS reasons
FROM (
    SELECT
        doc_id, unnest(range(len(input_ids))) AS position,
        unnest(input_ids) AS token_id, unnest(weights) AS weight, unnest(reasons) AS flags
    FROM shards
)
"""
# Outer, because a selection leaves documents out of the shards.
_EXPLAINED = """
CREATE TEMP VIEW explained AS
SELECT token_story.*, weight, reasons
FROM token_story LEFT JOIN token_weights USING (doc_id, position)
"""
_COMMENTS = {
    "shards": "One row a document: its token ids, loss weights and reasons; only in `assay query`",
    "token_weights": "One row a token: its weight and the reasons; only in `assay query`",
    "explained": "One row a token: all of token_story, and what it weighs; only in `assay query`",
}


@contextmanager
def open_database(run: Path, sql: str | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a run for reading: its catalog, and the views of its shards.

    These are `shards`, `token_weights` and, where the run keeps its signals, `explained`. Given
    some SQL, they are there only where it may be about them.

    Raises:
        AssayError: the run is not whole, or another program is writing to its database; or what is
            asked cannot be answered, as where a file of the run is damaged.
    """
    with open_catalog(run) as connection:
        paths = sorted((run / "shards").glob("*.arrow"))
        if not paths or (sql is not None and not MENTIONED.search(sql)):
            yield connection
            return
        from flows.database.shard_stream import Shards

        shards = Shards(paths)
        connection.register("shards", shards)
        _add_views(connection)
        try:
            yield connection
        except (duckdb.Error, AssayError):
            if shards.fault:
                raise shards.fault from None
            raise


def _add_views(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(_TOKEN_WEIGHTS)
    if "token_story" in list_tables(connection):
        connection.execute(_EXPLAINED)
    for name in _COMMENTS.keys() & set(list_tables(connection)):
        connection.execute(f"COMMENT ON VIEW {name} IS '{_COMMENTS[name]}'")
    describe_columns(connection)


def list_tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the names of all tables and views, by name."""
    sql = "SELECT DISTINCT table_name FROM information_schema.tables ORDER BY table_name"
    return [name for (name,) in connection.execute(sql).fetchall()]
