"""Signals of single tokens, from the sidecars of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from weighting import vocabulary
from weighting.arrays import Float32s
from weighting.contracts.sidecar import Sidecar, read_sidecar
from weighting.errors import BrokenContract
from weighting.signals.registry import Signals
from weighting.signals.token_types import Types

END = "⟨end of text⟩"


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """What is known of the V types: their bytes, the id that ends a text, and their counts."""

    tokens: Sequence[bytes]
    eos_id: int
    types: Types

    def list_pieces(self, ids_N: npt.NDArray[np.integer]) -> list[bytes]:
        """Return the bytes of N tokens; end-of-text reads END."""
        end = END.encode()
        return [end if i == self.eos_id else self.tokens[i] for i in ids_N.tolist()]

    def list_signals(
        self, ids_N: npt.NDArray[np.integer], stored: Mapping[str, Float32s]
    ) -> Mapping[str, Float32s]:
        """Return every signal of N tokens, those of their types included."""
        return Signals(self.types, ids_N, stored)


def read_vocabulary(connection: duckdb.DuckDBPyConnection, run: Path, eos_id: int) -> Vocabulary:
    """Return the vocabulary of a run with the counts of its train split."""
    tokens = vocabulary.read_vocabulary(run / "tokenizer.json").tokens
    columns = connection.execute(
        "SELECT count_train, holders FROM tokens ORDER BY token_id"
    ).fetchnumpy()
    counts_V, holders_V = (np.asarray(column, np.int64) for column in columns.values())
    return Vocabulary(tokens, eos_id, Types(counts_V, holders_V, int(counts_V[eos_id])))


def read_texts(run: Path, unit: str, doc_ids: Sequence[str]) -> list[str]:
    """Return the texts of kept documents of a unit, in the order of their ids.

    Raises:
        BrokenContract: their file cannot be read.
    """
    path = run / "documents" / f"{unit}.parquet"
    wanted = pc.is_in(pc.field("doc_id"), pa.array(doc_ids, pa.string()))
    try:
        rows = pq.read_table(path, columns=["doc_id", "text"], filters=wanted)
    except (pa.ArrowException, OSError) as error:
        raise BrokenContract(f"{path}: not a readable Parquet file ({error})") from None
    texts = dict(zip(rows["doc_id"].to_pylist(), rows["text"].to_pylist(), strict=True))
    return [texts[doc_id] for doc_id in doc_ids]


def list_sidecars(run: Path, split: str) -> list[Path]:
    """Return the sidecars of a split, by unit; none where the run keeps none."""
    return sorted((run / "signals").glob(f"{split}-*.parquet"))


def find_sidecar(run: Path, stem: str) -> Sidecar | None:
    """Return the sidecar that belongs to the shard of a stem; None where the run keeps none."""
    path = run / "signals" / f"{stem}.parquet"
    return read_sidecar(path) if path.exists() else None
