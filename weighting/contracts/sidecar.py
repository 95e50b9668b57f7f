"""The sidecar: RUN/signals/SPLIT-UNIT.parquet, all that a token's weight is computed from.

One row a document, in the order of the shard of the same name; all lists of a row have one length.
Weights follow from it and from the type counts alone, so a run can be re-weighted without its text.

    doc_id, source                      as in `documents`
    input_ids      list<uint16|uint32>  the end-of-text token last
    char_start     list<int32>          first character in the kept text; for end-of-text its length
    copies         list<int32>          kept documents that hold the passage it lies in; 1: none
    contaminated   list<bool>           whether it is part of an evaluation item
    one list<float32> a stored signal   multiples of `weighting.signals.registry.QUANTUM`
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from weighting.arrays import AnyArray, Bools, Float32s, Int32s, Int64s
from weighting.errors import BrokenContract
from weighting.signals.registry import SIGNALS
from weighting.storage.files import replacing

SCHEMA_VERSION = 1
METADATA_KEY = b"assay"
SPECIFIC = ("input_ids", "char_start", "copies", "contaminated")  # lists that are not signals


@dataclass(frozen=True)
class SidecarInfo:
    """What a sidecar says of itself; stored as JSON in the schema's metadata."""

    tokenizer_sha256: str
    vocab_size: int
    eos_id: int
    split: str
    signals: Sequence[str]
    schema_version: int = SCHEMA_VERSION

    @property
    def id_type(self) -> pa.DataType:
        """uint16 where the vocabulary fits, else uint32: that of the shards."""
        return pa.uint16() if self.vocab_size <= 1 << 16 else pa.uint32()


@dataclass(frozen=True, eq=False)
class Sidecar:
    """D documents of one unit and split as flat arrays of N tokens.

    What was not asked for when it was read is empty.
    """

    info: SidecarInfo
    doc_ids: pa.Array
    sources: pa.Array
    offsets_D1: Int64s
    ids_N: AnyArray
    starts_N: Int32s
    copies_N: Int32s
    contaminated_N: Bools
    signals: Mapping[str, Float32s]

    @property
    def special_N(self) -> Bools:
        """True at end-of-text tokens."""
        return np.asarray(self.ids_N == self.info.eos_id)


def sidecar_schema(info: SidecarInfo) -> pa.Schema:
    """Return the schema of a sidecar, `info` in its metadata."""
    lists = {
        "input_ids": info.id_type,
        "char_start": pa.int32(),
        "copies": pa.int32(),
        "contaminated": pa.bool_(),
        **dict.fromkeys(info.signals, pa.float32()),
    }
    return pa.schema(
        [
            pa.field("doc_id", pa.string(), nullable=False),
            pa.field("source", pa.string(), nullable=False),
            *(
                pa.field(name, pa.list_(pa.field("item", kind, nullable=False)), nullable=False)
                for name, kind in lists.items()
            ),
        ],
        metadata={METADATA_KEY: json.dumps(asdict(info), sort_keys=True).encode()},
    )


def write_sidecar(path: Path, sidecar: Sidecar) -> None:
    """Write a sidecar atomically.

    Raises:
        BrokenContract: lists of unequal length, or a signal that is not finite.
    """
    flat: dict[str, AnyArray] = {
        "input_ids": sidecar.ids_N.astype(sidecar.info.id_type.to_pandas_dtype(), copy=False),
        "char_start": sidecar.starts_N,
        "copies": sidecar.copies_N,
        "contaminated": sidecar.contaminated_N,
        **{name: sidecar.signals[name] for name in sidecar.info.signals},
    }
    _check_flat(path, flat, int(sidecar.offsets_D1[-1]))
    schema = sidecar_schema(sidecar.info)
    offsets = pa.array(sidecar.offsets_D1.astype(np.int32))
    lists = [
        pa.ListArray.from_arrays(offsets, pa.array(values), type=schema.field(name).type)
        for name, values in flat.items()
    ]
    table = pa.table([sidecar.doc_ids, sidecar.sources, *lists], schema=schema)
    with replacing(path) as temporary:
        pq.write_table(
            table,
            temporary,
            compression="zstd",
            use_dictionary=["source", "copies.list.element"],
            # Neighbouring values are alike in their high bytes; places grow slowly.
            column_encoding={
                "char_start.list.element": "DELTA_BINARY_PACKED",
                **{f"{name}.list.element": "BYTE_STREAM_SPLIT" for name in sidecar.info.signals},
            },
        )


def read_sidecar(path: Path, columns: Sequence[str] | None = None) -> Sidecar:
    """Read a sidecar: ids and documents always, of the other lists those named, by default all.

    Raises:
        BrokenContract: no sidecar, of another schema version, or without a column.
    """
    try:
        file = pq.ParquetFile(path)
    except FileNotFoundError:
        raise BrokenContract(f"{path}: no such sidecar") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise BrokenContract(f"{path}: not a readable Parquet file ({error})") from None
    info = _read_info(path, file.schema_arrow)
    wanted = [*SPECIFIC[1:], *info.signals] if columns is None else list(columns)
    missing = [name for name in wanted if name not in file.schema_arrow.names]
    if missing:
        raise BrokenContract(f"{path}: no column {missing[0]}")
    table = file.read(["doc_id", "source", "input_ids", *wanted], use_threads=False)
    return _to_sidecar(info, table.combine_chunks(), wanted)


def _check_flat(path: Path, flat: Mapping[str, AnyArray], size: int) -> None:
    for name, values in flat.items():
        if len(values) != size:
            raise BrokenContract(f"{path}: {name} has {len(values)} values for {size} tokens")
        if name in SIGNALS and not np.isfinite(values).all():
            at = int(np.argmax(~np.isfinite(values)))
            raise BrokenContract(f"{path}: {name} of token {at} is {values[at]}")


def _read_info(path: Path, schema: pa.Schema) -> SidecarInfo:
    raw = (schema.metadata or {}).get(METADATA_KEY)
    fields = json.loads(raw) if raw else {}
    if fields.get("schema_version") != SCHEMA_VERSION:
        raise BrokenContract(f"{path}: not a sidecar of schema version {SCHEMA_VERSION}")
    return SidecarInfo(**fields)


def _to_sidecar(info: SidecarInfo, table: pa.Table, wanted: Sequence[str]) -> Sidecar:
    ids = _only_chunk(table, "input_ids")
    offsets_D1 = ids.offsets.to_numpy().astype(np.int64) if len(ids) else np.zeros(1, np.int64)

    def flatten(name: str, empty: type[Any]) -> AnyArray:
        if name not in wanted:
            return np.empty(0, empty)
        return np.asarray(_only_chunk(table, name).flatten().to_numpy(zero_copy_only=False))

    return Sidecar(
        info,
        _only_chunk(table, "doc_id"),
        _only_chunk(table, "source"),
        offsets_D1,
        ids.flatten().to_numpy(),
        flatten("char_start", np.int32),
        flatten("copies", np.int32),
        flatten("contaminated", np.bool_),
        {name: flatten(name, np.float32) for name in wanted if name in SIGNALS},
    )


def _only_chunk(table: pa.Table, name: str) -> pa.Array:
    column = table.column(name)
    return (
        column.chunk(0)
        if column.num_chunks == 1
        else pa.concat_arrays(column.chunks or [pa.array([], column.type)])
    )
