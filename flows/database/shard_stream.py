"""Token shards as a stream of Arrow batches, for DuckDB to read a query's columns from.

The files are mapped, a batch at a time: of a document's neighbours nothing but their ids is read
from the disk. PyArrow's own data sets could do it as well; importing them takes pandas along.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa


class Shards:
    """Shards of one schema, in order; read from the start by whoever asks for a stream."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        with pa.ipc.open_file(pa.memory_map(str(paths[0]))) as first:
            self._schema: pa.Schema = first.schema

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return the batches by Arrow's C interface for streams."""
        reader = pa.RecordBatchReader.from_batches(self._schema, self._read())
        return reader.__arrow_c_stream__(requested_schema)

    def _read(self) -> Iterator[pa.RecordBatch]:
        for path in self._paths:
            with pa.ipc.open_file(pa.memory_map(str(path))) as shard:
                for number in range(shard.num_record_batches):
                    yield shard.get_batch(number)
