"""Sample documents, token by token: what each token weighs and why."""

from collections.abc import Iterator, Sequence
from glob import escape
from itertools import chain, pairwise, zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from tokenizers import Tokenizer

from weighting.bytelevel import list_bytes
from weighting.errors import BrokenContract
from weighting.reasons import Reason, name_flags

DOCUMENTS = 8
TOKENS = 400  # of each document, from its beginning
SHORT = 64  # tokens; shorter documents are shown only where a unit has no other
LEVELS = 6  # shades on either side of weight 1
OCTAVES = 2.0  # from weight 1 to the last shade, so from 1/4 to 4
END = "⟨end of text⟩"

Signals = dict[str, list[float]]


class Cell(NamedTuple):
    """One token: its text, the shade of its weight (-LEVELS to LEVELS) and what hovering shows."""

    text: str
    shade: int
    note: str


class Sample(NamedTuple):
    """The beginning of a kept document; `length` counts all of its tokens."""

    source: str
    locator: str
    doc_id: str
    split: str
    length: int
    cells: list[Cell]


class Choice(NamedTuple):
    """A document that was chosen, and the stem of the files of its unit."""

    unit: str
    doc_id: str
    source: str
    locator: str
    split: str


def read_samples(connection: duckdb.DuckDBPyConnection, run: Path) -> list[Sample]:
    """Return up to DOCUMENTS kept documents, spread over sources and units, always the same."""
    tokenizer = Tokenizer.from_file(str(run / "tokenizer.json"))
    tokens = list_bytes(tokenizer.get_vocab(), tokenizer.get_vocab_size())
    return [_read_sample(connection, run, tokens, one) for one in choose(connection, run)]


def choose(connection: duckdb.DuckDBPyConnection, run: Path) -> list[Choice]:
    """Return the documents to show: sources take turns, and a source's units do so too."""
    units = connection.execute(
        """
        SELECT source, list(DISTINCT filename ORDER BY filename)
        FROM read_parquet(?, filename = true, hive_partitioning = false) WHERE verdict = 'kept'
        GROUP BY source ORDER BY count(*) DESC, source LIMIT ?
        """,
        [f"{escape(str(run))}/ledger/*.parquet", DOCUMENTS],
    ).fetchall()
    queues = [_list_documents(connection, source, ledgers) for source, ledgers in units]
    turns = chain.from_iterable(zip_longest(*queues))
    return [one for one in turns if one is not None][:DOCUMENTS]


def _list_documents(
    connection: duckdb.DuckDBPyConnection, source: str, ledgers: Sequence[str]
) -> list[Choice]:
    """Return up to DOCUMENTS documents of a source: smallest ids of units spread over the run."""
    spread = sorted({ledgers[at * len(ledgers) // DOCUMENTS] for at in range(DOCUMENTS)})
    rows = connection.execute(
        """
        SELECT filename, doc_id, source, locator, split
        FROM read_parquet(?, filename = true, hive_partitioning = false)
        WHERE verdict = 'kept' AND source = ?
        ORDER BY
            row_number() OVER (PARTITION BY filename ORDER BY tokens < ?, doc_id), filename
        LIMIT ?
        """,
        [[*map(escape, spread)], source, SHORT, DOCUMENTS],
    ).fetchall()
    return [Choice(Path(filename).stem, *rest) for filename, *rest in rows]


def _read_sample(
    connection: duckdb.DuckDBPyConnection, run: Path, tokens: Sequence[bytes], choice: Choice
) -> Sample:
    shard = run / "shards" / f"{choice.split}-{choice.unit}.arrow"
    row = _find_row(shard, choice.doc_id)
    length = len(row["input_ids"])
    ids, weights, reasons = (
        row[name].values[:TOKENS].to_numpy() for name in ("input_ids", "weights", "reasons")
    )
    signals = _read_signals(connection, run / "signals" / f"{choice.unit}.parquet", choice.doc_id)
    special = (reasons & Reason.SPECIAL) > 0
    pieces = [END.encode() if s else tokens[i] for i, s in zip(ids, special, strict=True)]
    cells = map(
        Cell,
        spell(pieces),
        shade(weights).tolist(),
        _describe(ids, pieces, weights, reasons, signals),
    )
    return Sample(choice.source, choice.locator, choice.doc_id, choice.split, length, list(cells))


def _find_row(shard: Path, doc_id: str) -> dict[str, Any]:
    """Return a document's row of a memory-mapped shard, as Arrow scalars."""
    reader = pa.ipc.open_file(pa.memory_map(str(shard)))
    for number in range(reader.num_record_batches):
        batch = reader.get_batch(number)
        at = pc.index(batch.column("doc_id"), doc_id).as_py()
        if at >= 0:
            return {name: batch.column(name)[at] for name in batch.schema.names}
    raise BrokenContract(f"{shard}: lacks document {doc_id}, which the ledger says was kept")


def _read_signals(
    connection: duckdb.DuckDBPyConnection, path: Path, doc_id: str
) -> dict[str, list[float]]:
    """Return each signal's values for the tokens of a document; nothing without a sidecar."""
    if not path.exists():
        return {}
    result = connection.execute(
        """
        SELECT * EXCLUDE (doc_id, char_start)
        FROM read_parquet(?, hive_partitioning = false) WHERE doc_id = ?
        """,
        [escape(str(path)), doc_id],
    )
    names = [column[0] for column in result.description]
    return dict(zip(names, result.fetchall()[0], strict=True))


def spell(pieces: Sequence[bytes]) -> list[str]:
    """Return the text of tokens that are pieces of UTF-8.

    A character made by several tokens stands whole at the token with its first byte; the others
    get what they begin, which may be nothing. Bytes that are no UTF-8 become �.
    """
    blob = b"".join(pieces)
    leads = np.flatnonzero((np.frombuffer(blob, np.uint8) & 0xC0) != 0x80)
    cuts = np.cumsum([0, *map(len, pieces)])
    # Each cut moves on to the next byte that begins a character.
    begins = np.append(leads, len(blob))[np.searchsorted(leads, cuts)]
    begins[0] = 0
    return [blob[a:b].decode("utf-8", "replace") for a, b in pairwise(begins.tolist())]


def shade(weights_N: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Return the shade of each weight: steps of OCTAVES / LEVELS octaves from 1, int64 [N]."""
    with np.errstate(divide="ignore"):  # weight 0 is as far below 1 as the scale goes
        octaves = np.log2(weights_N.astype(np.float64))
    return np.rint(np.clip(octaves / OCTAVES, -1, 1) * LEVELS).astype(np.int64)


def list_shades() -> list[tuple[int, str]]:
    """Return every shade with the weight in its middle, lightest weight first."""
    return [
        (level, f"{2 ** (level * OCTAVES / LEVELS):.2g}") for level in range(-LEVELS, LEVELS + 1)
    ]


def _describe(
    ids: npt.NDArray[Any],
    pieces: Sequence[bytes],
    weights: npt.NDArray[np.float32],
    reasons: npt.NDArray[np.uint8],
    signals: Signals,
) -> Iterator[str]:
    """Yield what hovering over each token shows."""
    for at, (index, piece, weight, flags) in enumerate(
        zip(ids.tolist(), pieces, weights.tolist(), reasons.tolist(), strict=True)
    ):
        values = [f"{name} {column[at]:.2f} nats" for name, column in signals.items()]
        named = ", ".join(name_flags(flags)) or "no flags"
        whole = [] if _is_text(piece) else [f"bytes {piece.hex(' ')}"]
        yield "\n".join([f"token {index} at {at}", *whole, f"weight {weight:.3f}", *values, named])


def _is_text(piece: bytes) -> bool:
    try:
        piece.decode()
    except UnicodeDecodeError:
        return False
    return True
