"""Hive partitions: fields that the folders of a file name, as in `lang=en/part-0.parquet`.

They are the folders directly above the file, as long as each is of the form `name=value`. Values
are text, percent-decoded.
"""

from functools import lru_cache
from itertools import takewhile
from urllib.parse import unquote

from pipelines.readers.streams.urls import name_path

NULL = "__HIVE_DEFAULT_PARTITION__"


@lru_cache(maxsize=64)
def read_partitions(path: str) -> dict[str, str | None]:
    """Return the fields that the folders directly above a file name, the outermost first."""
    folders = name_path(path).split("/")[:-1]
    named = list(takewhile(_is_partition, reversed(folders)))
    pairs = (folder.partition("=")[::2] for folder in reversed(named))
    return {_decode(name): None if value == NULL else _decode(value) for name, value in pairs}


def _decode(text: str) -> str:
    """Return a percent-decoded text; as it is where that would be no UTF-8."""
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        return text


def _is_partition(folder: str) -> bool:
    name, equals, _ = folder.partition("=")
    return bool(name and equals)
