"""The token shard: Arrow IPC files that carry ids, loss weights and reasons, one row a document.

A shard loads with `datasets`, `pyarrow`, DuckDB (through Arrow) and the trainer with none of this
code. Weights are float32, not float16, for that reason: DuckDB reads no Arrow half floats. What
other programs write is read as well, where it says the same: see `weighting.contracts.shard_files`,
`shard_info` and `shard_columns`.

`weights[i]` belongs to the *target* `input_ids[i]`: it scales the loss of predicting that token
from the tokens before it. Writers and readers both check the laws:

- the three lists of a row have one length, and no row is null;
- weights are finite and not negative;
- the schema version, the tokenizer's hash and the policy are in the schema's metadata.

The law that weights average 1 is a law of a whole split, see `weighting.contracts.manifest`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from weighting.arrays import AnyArray, Float32s, Int64s, Uint8s
from weighting.contracts.shard_columns import (
    COLUMNS,
    Rows,
    check_columns,
    find_bad_id,
    find_bad_weight,
)
from weighting.contracts.shard_files import open_batches
from weighting.contracts.shard_info import METADATA_KEY, SCHEMA_VERSION, read_fields
from weighting.errors import BrokenContract
from weighting.storage.files import replacing


@dataclass(frozen=True)
class ShardInfo:
    """What a shard says of itself; stored as JSON in the Arrow schema's metadata."""

    tokenizer_sha256: str
    vocab_size: int
    eos_id: int
    split: str
    policy: str
    policy_params: Mapping[str, Any] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION

    @property
    def id_type(self) -> pa.DataType:
        """uint16 where the vocabulary fits, else uint32."""
        return pa.uint16() if self.vocab_size <= 1 << 16 else pa.uint32()


@dataclass(frozen=True)
class Tokens:
    """A batch of documents as flat arrays: N tokens of D documents.

    `offsets_D1` (int64, D + 1 entries) cuts the flat arrays into documents.
    """

    doc_ids: Sequence[str]
    sources: Sequence[str]
    offsets_D1: Int64s
    ids_N: AnyArray
    weights_N: Float32s
    reasons_N: Uint8s


@dataclass(frozen=True)
class Segment:
    """One record batch of an open shard.

    Of files that assay writes, these are views into the memory-mapped file, not copies.
    """

    doc_ids: pa.Array  # strings
    sources: pa.Array  # strings
    offsets_D1: npt.NDArray[np.signedinteger[Any]]
    ids_N: AnyArray  # uint16 or uint32
    weights_N: Float32s
    reasons_N: Uint8s


@dataclass(frozen=True)
class Shard:
    """An open shard. `segments` keep the file mapped for as long as one of them is referenced."""

    path: Path
    info: ShardInfo
    segments: Sequence[Segment]
    named: bool = True  # whether its documents have ids of their own

    @property
    def tokens(self) -> int:
        """Number of tokens in all segments."""
        return sum(len(segment.ids_N) for segment in self.segments)


def shard_schema(info: ShardInfo) -> pa.Schema:
    """Return the Arrow schema of a shard, `info` in its metadata."""
    return pa.schema(
        [
            pa.field("doc_id", pa.string(), nullable=False),
            pa.field("source", pa.string(), nullable=False),
            pa.field("input_ids", pa.list_(pa.field("item", info.id_type, nullable=False))),
            pa.field("weights", pa.list_(pa.field("item", pa.float32(), nullable=False))),
            pa.field("reasons", pa.list_(pa.field("item", pa.uint8(), nullable=False))),
        ],
        metadata={METADATA_KEY: json.dumps(asdict(info), sort_keys=True).encode()},
    )


def write_shard(path: Path, info: ShardInfo, batches: Iterable[Tokens]) -> None:
    """Write a shard atomically, one record batch for each of `batches`, uncompressed.

    Raises:
        BrokenContract: a batch breaks a law of the shard.
    """
    schema = shard_schema(info)
    with replacing(path) as temporary, pa.ipc.new_file(str(temporary), schema) as writer:
        for batch in batches:
            writer.write_batch(_to_arrow(str(path), batch, schema, info))


def open_shard(path: Path) -> Shard:
    """Open a shard, memory-mapped where it is uncompressed Arrow, and check every law.

    Raises:
        BrokenContract: no shard, not whole, another schema version, unknown tokenizer or split,
            lists of unequal length, an id outside the vocabulary, or a weight that is negative,
            infinite or NaN.
    """
    schema, metadata, batches = open_batches(path, COLUMNS)
    check_columns(path, schema)
    info = ShardInfo(**read_fields(path, metadata))
    if not 0 <= info.eos_id < info.vocab_size:
        raise BrokenContract(
            f"{path}: eos_id is {info.eos_id}, outside the vocabulary of {info.vocab_size}"
        )
    named = schema.get_field_index("doc_id") >= 0
    return Shard(path, info, list(_read_segments(path, batches, info)), named)


def check_values(name: str, ids_N: AnyArray, weights_N: Float32s, vocab_size: int) -> None:
    """Raise BrokenContract where an id is outside the vocabulary or a weight is not a weight."""
    if (at := find_bad_id(ids_N, vocab_size)) is not None:
        raise BrokenContract(
            f"{name}: token {at} has id {ids_N[at]}, the vocabulary ends at {vocab_size - 1}"
        )
    if (at := find_bad_weight(weights_N)) is not None:
        raise BrokenContract(
            f"{name}: token {at} has weight {weights_N[at]}, weights are finite and ≥ 0"
        )


def _to_arrow(name: str, batch: Tokens, schema: pa.Schema, info: ShardInfo) -> pa.RecordBatch:
    lengths = {len(batch.ids_N), len(batch.weights_N), len(batch.reasons_N)}
    if lengths != {int(batch.offsets_D1[-1])}:
        raise BrokenContract(f"{name}: ids, weights and reasons have lengths {sorted(lengths)}")
    weights_N = batch.weights_N.astype(np.float32, copy=False)
    check_values(name, batch.ids_N, weights_N, info.vocab_size)
    offsets = pa.array(batch.offsets_D1.astype(np.int32, copy=False))
    ids = pa.array(batch.ids_N.astype(info.id_type.to_pandas_dtype(), copy=False))
    columns = [
        pa.array(batch.doc_ids, pa.string()),
        pa.array(batch.sources, pa.string()),
        *(
            pa.ListArray.from_arrays(offsets, values, type=schema.field(name).type)
            for name, values in (
                ("input_ids", ids),
                ("weights", pa.array(weights_N)),
                ("reasons", pa.array(batch.reasons_N)),
            )
        ),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _read_segments(
    path: Path, batches: Iterable[pa.RecordBatch], info: ShardInfo
) -> Iterator[Segment]:
    first = 0
    for batch in batches:
        try:
            yield _to_segment(Rows(path, first, batch), info)
        except pa.ArrowException as error:  # a value that its column's type does not admit
            raise BrokenContract(f"{path}: {' '.join(str(error).split())}") from None
        first += len(batch)


def _to_segment(rows: Rows, info: ShardInfo) -> Segment:
    return Segment(
        doc_ids=rows.doc_ids,
        sources=rows.sources,
        offsets_D1=rows.ids.offsets_D1,
        ids_N=rows.read_ids(info.vocab_size, info.id_type.to_pandas_dtype()),
        weights_N=rows.read_weights(),
        reasons_N=rows.read_reasons(),
    )
