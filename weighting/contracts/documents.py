"""Contracts of documents and the ledger.

`documents/*.parquet` holds what was kept, `dropped/*.parquet` what a rule or the dedupe took out
(same columns, so that a reader can judge both sides), and `ledger/*.parquet` one row for every
input record, the unreadable ones included.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from weighting.errors import BrokenContract
from weighting.storage.files import replacing

Row = Sequence[object]  # of a table: a value for every column, in order


class Verdict(StrEnum):
    """What became of an input record."""

    KEPT = "kept"
    DROPPED = "dropped"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"


# What edits changed: pieces of the text, and of the source that they replaced, in characters. What
# lies between them is as it was read, moved.
SPANS = pa.list_(
    pa.struct(
        [pa.field(name, pa.int32()) for name in ("start", "end", "source_start", "source_end")]
    )
)

# Passages that several kept documents hold: characters of the text, line, paragraph or run, and the
# number of documents.
PASSAGES = pa.list_(
    pa.struct(
        [
            pa.field("start", pa.int32()),
            pa.field("end", pa.int32()),
            pa.field("kind", pa.string()),
            pa.field("documents", pa.int32()),
        ]
    )
)

# Characters of the text that hold an evaluation item; of several, the one that is held best.
CONTAMINATED = pa.list_(
    pa.struct(
        [
            pa.field("start", pa.int32()),
            pa.field("end", pa.int32()),
            pa.field("item", pa.string()),
        ]
    )
)

DOCUMENTS = pa.schema(
    [
        pa.field("doc_id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("locator", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("metadata", pa.string(), nullable=False),  # the record's other fields, as JSON
        pa.field("edits", SPANS, nullable=False),  # from the text to what was read
        pa.field("passages", PASSAGES, nullable=False),
        pa.field("contaminated", CONTAMINATED, nullable=False),
    ]
)

LEDGER_HEAD = (
    pa.field("doc_id", pa.string(), nullable=False),
    pa.field("source", pa.string(), nullable=False),
    pa.field("locator", pa.string(), nullable=False),
    pa.field("verdict", pa.string(), nullable=False),
    pa.field("rule", pa.string()),  # first failing rule; the error type where quarantined
    pa.field("failed", pa.list_(pa.string())),  # every failing rule, the first included
    pa.field("cluster", pa.string()),  # content hash of the survivor, where there are copies
    pa.field("survivor", pa.string()),  # doc_id of the copy that stays, here or in an earlier run
    pa.field("similarity", pa.float32()),  # Jaccard of its shingles and the survivor's
    pa.field("language", pa.string()),  # the most probable one, where it was asked for
    pa.field("judged_as", pa.string()),  # the language whose words and bounds counted, where read
    pa.field("split", pa.string()),  # train or validation, where kept
    pa.field("chars_in", pa.int64(), nullable=False),  # as read
    pa.field("chars", pa.int64(), nullable=False),  # after all edits
    pa.field("tokens", pa.int64()),  # of the edited text, whatever the verdict; null until known
)


def ledger_schema(rules: Sequence[str]) -> pa.Schema:
    """Return the ledger's schema: the fixed head and one float64 value column for each rule."""
    return pa.schema([*LEDGER_HEAD, *(pa.field(rule, pa.float64()) for rule in rules)])


def tabulate_rows(rows: Iterable[Row], schema: pa.Schema) -> pa.Table:
    """Return rows, each with a value for every field in order, as a table of `schema`.

    >>> schema = pa.schema([("name", pa.string()), ("count", pa.int64())])
    >>> tabulate_rows([("a", 1), ("b", None)], schema).to_pylist()
    [{'name': 'a', 'count': 1}, {'name': 'b', 'count': None}]
    """
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def write_table(path: Path, table: pa.Table, schema: pa.Schema) -> None:
    """Write a Parquet file that obeys `schema`, atomically.

    Raises:
        BrokenContract: a column is missing, of another type, or null where it may not be.
    """
    check_table(str(path), table, schema)
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", write_statistics=True)


def read_table(path: Path, schema: pa.Schema) -> pa.Table:
    """Read a Parquet file and check it against `schema`.

    Raises:
        BrokenContract: the file is unreadable or breaks the schema.
    """
    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise BrokenContract(f"{path}: not a readable Parquet file ({error})") from None
    check_table(str(path), table, schema)
    return table


def check_table(name: str, table: pa.Table, schema: pa.Schema) -> None:
    """Raise BrokenContract unless `table` has exactly the columns, types and nulls of `schema`."""
    if table.schema.names != schema.names:
        raise BrokenContract(f"{name}: columns are {table.schema.names}, must be {schema.names}")
    for field in schema:
        column = table.column(field.name)
        if column.type != field.type:
            raise BrokenContract(
                f"{name}: column {field.name} is {column.type}, must be {field.type}"
            )
        if not field.nullable and column.null_count:
            raise BrokenContract(f"{name}: column {field.name} has {column.null_count} nulls")
