"""Fields of documents beside their texts."""

import orjson
import pyarrow as pa


def read_field(metadata_D: pa.StringArray, name: str) -> list[str | None]:
    """Return a text field of D documents' metadata (JSON objects); None where there is none."""
    return [_read(metadata, name) for metadata in metadata_D.to_pylist()]


def _read(metadata: str | None, name: str) -> str | None:
    if not metadata or f'"{name}"' not in metadata:  # which is cheaper than to parse it
        return None
    value = orjson.loads(metadata).get(name)
    return value if isinstance(value, str) and value else None
