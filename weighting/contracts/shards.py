"""The token shard: Arrow IPC files that carry ids, loss weights and reasons, one row a document.

A shard loads with `datasets`, `pyarrow`, DuckDB (through Arrow) and the trainer with none of this
code. Weights are float32, not float16, for that reason: DuckDB reads no Arrow half floats.

`weights[i]` belongs to the *target* `input_ids[i]`: it scales the loss of predicting that token
from the tokens before it. Writers and readers both check the laws:

- the three lists of a row have one length, and no row is null;
- weights are finite and not negative;
- the schema version, the tokenizer's hash and the policy are in the schema's metadata.

The law that weights average 1 is a law of a whole split, see `weighting.contracts.manifest`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from weighting.arrays import AnyArray, Float32s, Int32s, Int64s, Uint8s
from weighting.errors import BrokenContract
from weighting.storage.files import replacing

SCHEMA_VERSION = 1
METADATA_KEY = b"assay"
NOT_FINITE = 0x7F800000  # float32 bit patterns from here on are inf, NaN or negative


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
    """One record batch of an open shard: views into the memory-mapped file, not copies."""

    doc_ids: pa.StringArray
    sources: pa.StringArray
    offsets_D1: Int32s
    ids_N: AnyArray  # uint16 or uint32
    weights_N: Float32s
    reasons_N: Uint8s


@dataclass(frozen=True)
class Shard:
    """An open shard. `segments` keep the file mapped for as long as one of them is referenced."""

    path: Path
    info: ShardInfo
    segments: Sequence[Segment]

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
    """Memory-map a shard and check every law.

    Raises:
        BrokenContract: no shard, truncated, another schema version, lists of unequal length,
            an id outside the vocabulary, or a weight that is negative, infinite or NaN.
    """
    try:
        reader = pa.ipc.open_file(pa.memory_map(str(path)))
        batches = [reader.get_batch(i) for i in range(reader.num_record_batches)]
    except FileNotFoundError:
        raise BrokenContract(f"{path}: no such shard") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise BrokenContract(f"{path}: not a whole Arrow IPC file ({error})") from None
    info = _read_info(path, reader.schema)
    _check_columns(path, reader.schema, info)
    segments = [_to_segment(f"{path} batch {i}", batch) for i, batch in enumerate(batches)]
    for number, segment in enumerate(segments):
        check_values(f"{path} batch {number}", segment.ids_N, segment.weights_N, info.vocab_size)
    return Shard(path, info, segments)


def check_values(name: str, ids_N: AnyArray, weights_N: Float32s, vocab_size: int) -> None:
    """Raise BrokenContract where an id is outside the vocabulary or a weight is not a weight."""
    if len(ids_N) and int(ids_N.max()) >= vocab_size:
        at = int(np.argmax(ids_N >= vocab_size))
        raise BrokenContract(
            f"{name}: token {at} has id {ids_N[at]}, the vocabulary ends at {vocab_size - 1}"
        )
    bits_N = weights_N.view(np.uint32)
    if len(bits_N) and int(bits_N.max()) >= NOT_FINITE:
        at = int(np.argmax(bits_N >= NOT_FINITE))
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


def _read_info(path: Path, schema: pa.Schema) -> ShardInfo:
    raw = (schema.metadata or {}).get(METADATA_KEY)
    if raw is None:
        raise BrokenContract(f"{path}: an Arrow file, but not a token shard (no assay metadata)")
    fields = json.loads(raw)
    version = fields.get("schema_version")
    if version != SCHEMA_VERSION:
        raise BrokenContract(
            f"{path}: shard of schema version {version}, this code reads {SCHEMA_VERSION}"
        )
    try:
        return ShardInfo(**fields)
    except TypeError as error:
        reason = str(error).partition(" ")[2]
        raise BrokenContract(f"{path}: not a whole token shard (its metadata: {reason})") from None


def _check_columns(path: Path, schema: pa.Schema, info: ShardInfo) -> None:
    wanted = shard_schema(info)
    for field_ in wanted:
        index = schema.get_field_index(field_.name)
        if index < 0:
            raise BrokenContract(f"{path}: no column {field_.name}")
        if schema.field(index).type != field_.type:
            raise BrokenContract(
                f"{path}: column {field_.name} is {schema.field(index).type}, must be {field_.type}"
            )


def _to_segment(name: str, batch: pa.RecordBatch) -> Segment:
    lists = [batch.column(column) for column in ("input_ids", "weights", "reasons")]
    if any(column.null_count for column in lists):
        raise BrokenContract(f"{name}: a row is null")
    offsets = [column.offsets.to_numpy() for column in lists]
    if not all(np.array_equal(offsets[0], other) for other in offsets[1:]):
        raise BrokenContract(f"{name}: ids, weights and reasons of a row differ in length")
    start, stop = (int(offsets[0][0]), int(offsets[0][-1])) if len(batch) else (0, 0)
    ids, weights, reasons = (column.values[start:stop].to_numpy() for column in lists)
    return Segment(
        doc_ids=batch.column("doc_id"),
        sources=batch.column("source"),
        offsets_D1=offsets[0] - start,
        ids_N=ids,
        weights_N=weights,
        reasons_N=reasons,
    )
