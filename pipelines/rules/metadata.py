"""Fields of documents beside their texts."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import orjson
import pyarrow as pa

from pipelines.readers.fields import locate

# Where corpora have a page's URL: C4, FineWeb and what the warc reader writes; Dolma; RedPajama;
# OSCAR; and other usual names. The first that is there counts.
URL_FIELDS = (
    "url",
    "metadata.url",
    "meta.url",
    "warc_headers.warc-target-uri",
    "metadata.WARC-Target-URI",
    "metadata.warc-target-uri",
    "metadata.warc_headers.warc-target-uri",
    "WARC-Target-URI",
    "warc-target-uri",
    "warc_target_uri",
    "source_url",
    "metadata.source_url",
    "meta.source_url",
    "page_url",
    "URL",
    "uri",
    "metadata.uri",
    "meta.uri",
)


def read_field(metadata_D: pa.StringArray, name: str) -> list[str | None]:
    """Return a text field of D documents' metadata (JSON objects); None where there is none."""
    return [_read(metadata, name) for metadata in metadata_D.to_pylist()]


def read_urls(metadata_D: pa.StringArray, name: str | None) -> list[str | None]:
    """Return the URLs of D documents; None where there is none.

    `name` is the field of their metadata that holds them; None for the usual ones (URL_FIELDS).
    """
    names = URL_FIELDS if name is None else (name,)
    last = {orjson.dumps(field.rpartition(".")[2]).decode()[1:-1] for field in names}
    ends = sorted(name + quote for name in last for quote in ('"', '\\"'))
    return [_read_first(metadata, names, ends) for metadata in metadata_D.to_pylist()]


def _read_first(metadata: str | None, names: Sequence[str], ends: Sequence[str]) -> str | None:
    if not metadata or not any(end in metadata for end in ends):
        return None
    row = {name: _unpack(value) for name, value in orjson.loads(metadata).items()}
    for name in names:
        value: Any = row
        for key in locate(row, name) or ():
            value = value[key]
        if isinstance(value, str) and (url := value.strip("<> ")):
            return url
    return None


def _unpack(value: object) -> object:
    """Return what a text says that is an object in JSON: some corpora store metadata so."""
    if isinstance(value, str) and value.startswith("{"):
        with suppress(orjson.JSONDecodeError):
            return orjson.loads(value)
    return value


def _read(metadata: str | None, name: str) -> str | None:
    if not metadata or f'"{name}"' not in metadata:  # which is cheaper than to parse it
        return None
    value = orjson.loads(metadata).get(name)
    return value if isinstance(value, str) and value else None
