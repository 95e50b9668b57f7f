"""Hugging Face datasets, streamed: `hf-stream:NAME[:CONFIG][@SPLIT]`.

What `hf:` downloads or copies to the cache first, this reads in passing; nothing is stored. Slices
count the dataset's shards, which are mostly its files. Locators are `shard S row N`.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import xxhash

from pipelines.readers.formats.huggingface import Spec, attempt, choose_split, open_library
from pipelines.readers.records import ReadOptions, Record, Reject, RejectKind, Slice
from pipelines.readers.rows import Origin, read_batch, refuse_table
from pipelines.readers.streams import open_stream
from pipelines.readers.streams.retries import LostInput, describe, is_of_network
from pipelines.readers.streams.urls import is_url

BATCH_ROWS = 1000
OPEN_DATASETS = 8


def cut(path: str, name: str, target_bytes: int) -> list[Slice]:
    """Cut a dataset into its shards; the last slice is open.

    Raises:
        AssayError: the dataset cannot be loaded, or has several splits and none is chosen.
    """
    dataset = load(path)
    known = (dataset.info.splits or {}).get(str(dataset.split))
    size = known.num_bytes // dataset.num_shards if known else target_bytes
    bounds = [*range(dataset.num_shards), -1]
    return [
        Slice(path, name, "huggingface-stream", start, end, size) for start, end in pairwise(bounds)
    ]


def read(slice_: Slice, options: ReadOptions) -> Iterator[Record | Reject]:
    """Yield the rows of a slice's shards. Records name the dataset as their source.

    Where a shard cannot be read on, its rest is one reject `bad_shard`.
    """
    dataset = load(slice_.path)
    end = dataset.num_shards if slice_.end < 0 else slice_.end
    origin = Origin(Path(Spec.parse(slice_.path).name).name)
    checked = False
    for shard in range(slice_.start, end):
        rows = dataset.shard(num_shards=dataset.num_shards, index=shard).with_format("arrow")
        for first, batch in _read_batches(rows):
            if isinstance(batch, Exception):
                message = f"{type(batch).__name__}: {str(batch).partition(chr(10))[0]}"
                yield Reject(f"shard {shard} row {first}", RejectKind.BAD_SHARD, message, b"")
                continue
            if not checked and (refused := refuse_table(batch.schema, options, batch)):
                if slice_.start == 0:
                    yield refused
                return
            checked = True
            yield from read_batch(batch, first, options, origin, f"shard {shard} row")


def digest(path: str) -> tuple[int, str]:
    """Return the data files' size in bytes and a hash.

    It is of the content of local files, and of the addresses and versions of others: those of the
    hub hold the commit.
    """
    files = attempt(path, _data_files, Spec.parse(path))[str(load(path).split)]
    local = [open_stream.digest(file) for file in files if not is_url(file)]
    remote = [file for file in files if is_url(file)]
    parts = [*local, *remote, *(files.origin_metadata if remote else ())]
    return sum(size for size, _ in local), xxhash.xxh3_64_hexdigest(repr(parts).encode())


@lru_cache(maxsize=OPEN_DATASETS)
def load(path: str) -> Any:  # noqa: ANN401 - a datasets.IterableDataset; the library ships no types
    """Open the one split that a spec names.

    Raises:
        AssayError: it cannot be loaded, or has several splits and none is chosen.
    """
    splits = attempt(path, _open, Spec.parse(path))
    return splits[choose_split(path, list(splits))]


def _read_batches(rows: Any) -> Iterator[tuple[int, pa.Table | Exception]]:  # noqa: ANN401
    """Yield batches and the number of their first row, then what the library raised, if it did.

    A batch that fails is read again row by row, for the good ones in it.

    Raises:
        LostInput: a network or disk fails, not the data.
    """
    first = 0
    failed: Exception | None = None
    for size in (BATCH_ROWS, 1):
        try:
            for batch in rows.skip(first).iter(size):
                yield first, batch
                first += batch.num_rows
        except MemoryError:  # the machine's, not the data's
            raise
        except Exception as error:  # whatever the formats' parsers raise
            if is_of_network(error):
                raise LostInput(describe(error)) from None
            failed = error
        else:
            return
    if failed:
        yield first, failed


def _open(spec: Spec) -> Any:  # noqa: ANN401 - IterableDatasets by split
    return open_library().load_dataset(spec.name, spec.config or None, streaming=True)


def _data_files(spec: Spec) -> Any:  # noqa: ANN401 - lists of paths by split
    return open_library().load_dataset_builder(spec.name, spec.config or None).config.data_files
