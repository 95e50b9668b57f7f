"""The versions of assay, Python and the libraries that count, without loading any of them."""

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

LIBRARIES = ("apache-beam", "duckdb", "numpy", "pyarrow", "tokenizers", "torch")


def list_versions() -> Iterator[tuple[str, str]]:
    """Yield names with versions; a library that is not installed says so."""
    yield "assay", version("assay")
    yield "Python", platform.python_version()
    for name in LIBRARIES:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            yield name, "not installed"


def describe_versions() -> str:
    """Return a line for each, as a command's --version prints them."""
    return "".join(f"{name} {number}\n" for name, number in list_versions())
