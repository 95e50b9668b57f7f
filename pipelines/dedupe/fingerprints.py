"""Fingerprints: what deduplication keeps of a unit's documents, so that no text is read twice.

Two Arrow IPC files of one record batch each, mapped into memory and viewed without a copy. Both say
in their metadata what they were made with.

- documents: a row for each document that passed the rules. `cluster` and `survivor` are null until
  clusters are found; a published index has them for every document.
- bands: the keys by which documents meet, sorted. The content hash is a key of every document, so
  exact copies meet like any others.

A document is known by its node: the number of its unit << 32 | its row in the documents file.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.dedupe.minhash import Signatures, sign_nothing
from pipelines.settings import NearSettings
from pipelines.words.compiled import njit
from pipelines.words.hashing import scatter
from weighting.array_tools import to_offsets
from weighting.arrays import AnyArray, Float64s, Int64s, Structs, Uint32s, Uint64s
from weighting.errors import AssayError
from weighting.hashing import STEP, mix_bits
from weighting.storage.files import replacing

FINGERPRINTS_VERSION = 3  # of the files, and of the normal form and the hashes that went into them
METADATA_KEY = b"assay"
SIGNED = ("words", "bands", "rows", "seed", "numbers")  # the settings that signatures depend on
HALF = np.dtype(">u8")  # of 128 bits: as bytes in a file, their order is that of the numbers
BANDS = pa.schema([pa.field("key", pa.uint64()), pa.field("doc", pa.uint32())])


class Documents(NamedTuple):
    """D documents: who they are, how good they are, and their signatures in B bands.

    The sorted distinct shingles of document d are shingles_S[offsets_D1[d] : offsets_D1[d + 1]];
    `sets_D` is a hash of them, 0 where there are none. Bands of a document without shingles are 0.
    """

    ids_Dx2: AnyArray
    contents_Dx2: AnyArray  # xxh3-128 of the text
    quality_D: Float64s
    lengths_D: Int64s  # characters
    rows_D: Uint32s  # row in the unit's cleaned file
    bands_DxB: Uint64s
    sets_D: Uint64s
    shingles_S: Uint32s
    offsets_D1: Int64s
    clusters_Dx2: AnyArray | None = None
    survivors_Dx2: AnyArray | None = None

    @property
    def first_band_D(self) -> Uint64s:
        """The key of the first band."""
        return self.bands_DxB[:, 0]

    @property
    def sizes_D(self) -> Int64s:
        """The bytes of shingles and bands."""
        return np.asarray(np.diff(self.offsets_D1) * 4 + self.bands_DxB.shape[1] * 8)


class Bands(NamedTuple):
    """The keys of a unit's documents, sorted: `docs_K` says whose."""

    keys_K: Uint64s
    docs_K: Uint32s


@dataclass(frozen=True)
class Fingerprints:
    """Where the fingerprints of a unit are, and whether an earlier run has published them."""

    documents: Path
    bands: Path
    published: bool = False

    def open_documents(self) -> Documents:
        """Return views into the mapped file of documents."""
        batch = _open_batch(self.documents)
        column = {name: batch.column(name) for name in batch.schema.names}
        bands, shingles = column["bands"], column["shingles"]
        clustered = len(batch) and not column["survivor"].null_count
        return Documents(
            ids_Dx2=_view(column["doc_id"], HALF).reshape(-1, 2),
            contents_Dx2=_view(column["content"], HALF).reshape(-1, 2),
            quality_D=_view(column["quality"], np.float64),
            lengths_D=_view(column["length"], np.int64),
            rows_D=_view(column["row"], np.uint32),
            bands_DxB=_view(bands.values, np.uint64).reshape(len(batch), bands.type.list_size),
            sets_D=_view(column["shingle_hash"], np.uint64),
            shingles_S=_view(shingles.values, np.uint32),
            offsets_D1=_view(shingles.offsets, np.int64),
            clusters_Dx2=_view(column["cluster"], HALF).reshape(-1, 2) if clustered else None,
            survivors_Dx2=_view(column["survivor"], HALF).reshape(-1, 2) if clustered else None,
        )

    def open_bands(self) -> Bands:
        """Return views into the mapped file of bands."""
        batch = _open_batch(self.bands)
        return Bands(
            keys_K=_view(batch.column("key"), np.uint64),
            docs_K=_view(batch.column("doc"), np.uint32),
        )


def describe(
    ids: Sequence[bytes],
    contents: Sequence[bytes],
    quality_D: Float64s,
    lengths_D: Int64s,
    rows_D: Uint32s,
    signatures: Signatures | None,
) -> Documents:
    """Return D documents from 16-byte ids and content hashes and, if wanted, their signatures."""
    if signatures is None:
        signatures = sign_nothing(len(ids), 0)
    return Documents(
        ids_Dx2=np.frombuffer(b"".join(ids), HALF).reshape(-1, 2),
        contents_Dx2=np.frombuffer(b"".join(contents), HALF).reshape(-1, 2),
        quality_D=quality_D,
        lengths_D=lengths_D,
        rows_D=rows_D,
        bands_DxB=np.where(signatures.signed_D[:, None], signatures.bands_DxB, np.uint64(0)),
        sets_D=hash_sets(signatures.shingles_S, signatures.offsets_D1),
        shingles_S=signatures.shingles_S,
        offsets_D1=signatures.offsets_D1,
    )


def write_fingerprints(
    fingerprints: Fingerprints, parts: Sequence[Documents], near: NearSettings | None
) -> None:
    """Write the fingerprints of a unit: the documents of all its parts, in order.

    `near` is what the signatures were made with; None where only exact copies are looked for.
    """
    documents = _join(parts, near.bands if near else 0)
    metadata = {METADATA_KEY: json.dumps({"version": FINGERPRINTS_VERSION, "near": _pack(near)})}
    _write_documents(fingerprints.documents, documents, metadata)
    keys_K, docs_K = _list_keys(documents)
    _write_batch(
        fingerprints.bands, [pa.array(keys_K), pa.array(docs_K)], BANDS.with_metadata(metadata)
    )


def publish(fingerprints: Fingerprints, target: Fingerprints, members: Structs) -> None:
    """Write a unit's fingerprints for later runs, with cluster and survivor of every document.

    `members` are those of the unit (see `survivors`). A document without copies is the survivor of
    its own cluster, which is named by its content hash.
    """
    documents = fingerprints.open_documents()
    clusters_Dx2, survivors_Dx2 = documents.contents_Dx2.copy(), documents.ids_Dx2.copy()
    for number, half in enumerate(("high", "low")):
        clusters_Dx2[members["doc"], number] = members[f"cluster_{half}"]
        survivors_Dx2[members["doc"], number] = members[f"survivor_{half}"]
    named = documents._replace(clusters_Dx2=clusters_Dx2, survivors_Dx2=survivors_Dx2)
    _write_documents(target.documents, named, _open_batch(fingerprints.documents).schema.metadata)
    with replacing(target.bands) as temporary:
        shutil.copyfile(fingerprints.bands, temporary)


def check_compatible(path: Path, near: NearSettings | None) -> None:
    """Check that fingerprints of an earlier run can be compared with those of a run with `near`.

    What similarity is asked for may differ: it is not part of the fingerprints. A run that looks
    for exact copies alone can be compared with any.

    Raises:
        AssayError: `path` is not a file of documents, or is of another version or other settings.
    """
    try:
        batch = _open_batch(path)
        made = json.loads((batch.schema.metadata or {})[METADATA_KEY])
        version, settings = made["version"], made["near"]
        unfinished = batch.column("survivor").null_count
    except (OSError, pa.ArrowInvalid, KeyError, ValueError):
        raise AssayError(f"{path}: no index of an earlier run, or a damaged one") from None
    if unfinished:
        raise AssayError(f"{path}: fingerprints of a run that is not finished; run it again")
    if version != FINGERPRINTS_VERSION:
        raise AssayError(
            f"{path}: an index of version {version}, this one is {FINGERPRINTS_VERSION}; "
            "curate that corpus again to compare with it"
        )
    if near and _tell(settings) != _tell(_pack(near)):
        raise AssayError(
            f"{path}: made with {_tell(settings)}, this run has {_tell(_pack(near))}; "
            "give dedupe the same words, bands, rows, seed and numbers"
        )


@njit
def hash_sets(shingles_S: Uint32s, offsets_D1: Int64s) -> Uint64s:
    """Return a hash of each set of shingles, 0 of an empty one.

    The sum of scattered values modulo 2^64, plus the size: equal sets, equal hash.
    """
    sets_D = np.zeros(len(offsets_D1) - 1, np.uint64)
    for document in range(len(sets_D)):
        some = shingles_S[offsets_D1[document] : offsets_D1[document + 1]]
        for shingle in some:
            # Salted, as scattering leaves 0 what it is: the shingle 0 has to count too.
            sets_D[document] += scatter(np.uint64(shingle) + STEP)
        if len(some):  # 0 stands for an empty set
            sets_D[document] = max(sets_D[document], np.uint64(1))
    return sets_D


def mix_contents(contents_Dx2: AnyArray) -> Uint64s:
    """Return the key of each content hash. It equals a band's key by chance alone."""
    high, low = (np.ascontiguousarray(contents_Dx2[:, half], np.uint64) for half in (0, 1))
    return mix_bits(high + mix_bits(low + STEP))


def _list_keys(documents: Documents) -> Bands:
    """Return the keys of all documents: of the content, and of the bands of those with shingles."""
    signed = np.flatnonzero(documents.sets_D)
    bands = documents.bands_DxB[signed]
    keys_K = np.concatenate([mix_contents(documents.contents_Dx2), bands.ravel()])
    docs_K = np.concatenate([np.arange(len(documents.sets_D)), np.repeat(signed, bands.shape[1])])
    order_K = np.lexsort((docs_K, keys_K))
    return Bands(keys_K[order_K], docs_K[order_K].astype(np.uint32))


def _join(parts: Sequence[Documents], bands: int) -> Documents:
    """Return the documents of several parts as one."""
    empty = describe(
        ids=[],
        contents=[],
        quality_D=np.empty(0, np.float64),
        lengths_D=np.empty(0, np.int64),
        rows_D=np.empty(0, np.uint32),
        signatures=sign_nothing(0, bands),
    )
    every = [empty, *parts]  # without parts the columns have their types all the same
    sizes = [np.diff(part.offsets_D1) for part in every]
    return Documents(
        ids_Dx2=np.concatenate([part.ids_Dx2 for part in every]),
        contents_Dx2=np.concatenate([part.contents_Dx2 for part in every]),
        quality_D=np.concatenate([part.quality_D for part in every]),
        lengths_D=np.concatenate([part.lengths_D for part in every]),
        rows_D=np.concatenate([part.rows_D for part in every]),
        bands_DxB=np.concatenate([part.bands_DxB for part in every]),
        sets_D=np.concatenate([part.sets_D for part in every]),
        shingles_S=np.concatenate([part.shingles_S for part in every]),
        offsets_D1=to_offsets(np.concatenate(sizes)),
    )


def _write_documents(path: Path, documents: Documents, metadata: Mapping[bytes, object]) -> None:
    size, bands = documents.bands_DxB.shape
    fixed = pa.list_(pa.uint64(), bands)
    values = pa.array(documents.bands_DxB.ravel())
    columns = {
        "doc_id": _pack_halves(documents.ids_Dx2, size),
        "content": _pack_halves(documents.contents_Dx2, size),
        "quality": pa.array(documents.quality_D, pa.float64()),
        "length": pa.array(documents.lengths_D, pa.int64()),
        "row": pa.array(documents.rows_D, pa.uint32()),
        "bands": pa.FixedSizeListArray.from_buffers(fixed, size, [None], children=[values]),
        "shingle_hash": pa.array(documents.sets_D),
        "shingles": pa.LargeListArray.from_arrays(documents.offsets_D1, documents.shingles_S),
        "cluster": _pack_halves(documents.clusters_Dx2, size),
        "survivor": _pack_halves(documents.survivors_Dx2, size),
    }
    schema = pa.schema([(name, column.type) for name, column in columns.items()], metadata)
    _write_batch(path, list(columns.values()), schema)


def _pack_halves(halves_Dx2: AnyArray | None, size: int) -> pa.FixedSizeBinaryArray:
    binary = pa.binary(16)
    if halves_Dx2 is None:
        return pa.nulls(size, binary)
    data = pa.py_buffer(np.ascontiguousarray(halves_Dx2, HALF).tobytes())
    return pa.FixedSizeBinaryArray.from_buffers(binary, size, [None, data])


def _write_batch(path: Path, columns: list[pa.Array], schema: pa.Schema) -> None:
    batch = pa.RecordBatch.from_arrays(columns, schema=schema)
    with replacing(path) as temporary, pa.ipc.new_file(str(temporary), schema) as writer:
        writer.write_batch(batch)


def _open_batch(path: Path) -> pa.RecordBatch:
    return pa.ipc.open_file(pa.memory_map(str(path))).get_batch(0)


def _view(column: pa.Array, dtype: npt.DTypeLike) -> AnyArray:
    """Return the values of a column that starts its buffer."""
    data = column.buffers()[1]
    return np.frombuffer(data, dtype) if data and data.size else np.empty(0, dtype)


def _pack(near: NearSettings | None) -> dict[str, Any] | None:
    return asdict(near) if near else None


def _tell(near: Mapping[str, Any] | None) -> str:
    """Say what the signatures were made with, in words."""
    if near is None:
        return "no signatures (exact copies alone)"
    return ", ".join(f"{name} {near.get(name)}" for name in SIGNED)
