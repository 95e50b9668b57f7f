"""Lists that the user provides: UTF-8 files with an entry a line."""

from functools import lru_cache
from pathlib import Path

from weighting.errors import AssayError


@lru_cache
def load_list(path: str, setting: str) -> tuple[str, ...]:
    """Return the entries of a file, stripped; blank lines and lines that start with # are skipped.

    AssayError, with the name of the setting, where there is no such file or it is not UTF-8.
    """
    try:
        lines = Path(path).read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise AssayError(
            f"{setting}: cannot read the list {path} ({describe_failure(error)}); "
            "it must be a UTF-8 text file with an entry a line"
        ) from error
    entries = (line.strip() for line in lines)
    return tuple(entry for entry in entries if entry and not entry.startswith("#"))


def describe_failure(error: OSError | ValueError) -> str:
    """Return why a file could not be read, without its path."""
    return (isinstance(error, OSError) and error.strerror) or "not valid UTF-8"
