"""Token shards as a stream of Arrow batches, for DuckDB to read a query's columns from.

The files are mapped, a batch at a time: of a document's neighbours nothing but their ids is read
from the disk. PyArrow's own data sets could do it as well; importing them takes pandas along.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from weighting.errors import AssayError, BrokenContract


class Shards:
    """Shards of one schema, in order; read from the start by whoever asks for a stream.

    `fault` says which file could not be read: of an error within a stream DuckDB tells no more
    than that there was one.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self.fault: AssayError | None = None
        with _opening(paths[0]) as first:
            self._schema: pa.Schema = first.schema

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return the batches by Arrow's C interface for streams."""
        reader = pa.RecordBatchReader.from_batches(self._schema, self._read())
        return reader.__arrow_c_stream__(requested_schema)

    def _read(self) -> Iterator[pa.RecordBatch]:
        for path in self._paths:
            try:
                with _opening(path) as shard:
                    if not shard.schema.equals(self._schema):
                        raise BrokenContract(f"{path}: other columns than {self._paths[0]}")
                    for number in range(shard.num_record_batches):
                        yield shard.get_batch(number)
            except BrokenContract as error:
                self.fault = error
                raise


@contextmanager
def _opening(path: Path) -> Iterator[pa.RecordBatchFileReader]:
    """Open an Arrow file; what is wrong with it is told with its name."""
    try:
        with pa.ipc.open_file(pa.memory_map(str(path))) as shard:
            yield shard
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())
        raise BrokenContract(f"{path}: no whole Arrow file ({reason})") from None
