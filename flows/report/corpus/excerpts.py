"""Excerpts of records in quarantine.

Only the first unit that holds an example is read, whatever the size of the run.
"""

import base64
import codecs
from collections.abc import Iterator
from glob import escape
from pathlib import Path
from typing import NamedTuple

import duckdb

PER_KIND = 2
LENGTH = 600  # bytes of a payload
ENCODED = LENGTH * 4 // 3  # characters of base64


class Excerpt(NamedTuple):
    """The beginning of a text, where it came from, and why it was not kept."""

    origin: str
    why: str
    text: str


def find_quarantined(
    connection: duckdb.DuckDBPyConnection, run: Path
) -> Iterator[tuple[str, list[Excerpt]]]:
    """Yield (error type, excerpts of the raw bytes of such records)."""
    for error, ledger in _find_units(connection, run):
        path = run / "quarantine" / f"{Path(ledger).stem}.jsonl.zst"
        rows = connection.execute(
            f"""
            SELECT reader, locator, message, left(payload_base64, ?)
            FROM read_json(
                ?, format = 'newline_delimited', compression = 'zstd', hive_partitioning = false
            )
            WHERE error = ? ORDER BY locator LIMIT {PER_KIND}
            """,
            [ENCODED + 1, escape(str(path)), error],
        ).fetchall()
        yield (
            error,
            [
                Excerpt(f"{reader} · {locator}", message, _decode(payload))
                for reader, locator, message, payload in rows
            ],
        )


def _find_units(connection: duckdb.DuckDBPyConnection, run: Path) -> list[tuple[str, str]]:
    """Return (error, the first ledger file with such a record), by name."""
    return connection.execute(
        """
        SELECT rule, min(filename) FROM read_parquet(?, filename = true, hive_partitioning = false)
        WHERE verdict = 'quarantined' GROUP BY rule ORDER BY rule
        """,
        [f"{escape(str(run))}/ledger/*.parquet"],
    ).fetchall()


def _decode(payload: str) -> str:
    """Return the bytes as text, an ellipsis where some are left out.

    A character that is only cut here is left out, not damaged.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    is_whole = len(payload) <= ENCODED
    return decoder.decode(base64.b64decode(payload[:ENCODED]), final=is_whole) + "…" * (
        not is_whole
    )
