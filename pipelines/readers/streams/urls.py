"""Paths and URLs of inputs: which part is the file's path, and what stands for the URL in ids.

A query may hold a signature or a token, so it is part of no name. `zip://INNER::ARCHIVE` names a
file in an archive; ARCHIVE is a URL again.
"""

import errno
from pathlib import Path

from weighting.errors import AssayError

WEB = ("http://", "https://")
LOCAL = ("file://", "local://")
CHAIN = "::"
ARCHIVES = ("zip://", "tar://", "libarchive://")
WRAPPERS = ("simplecache", "filecache", "blockcache", "cached", "dir")  # change no content


def is_url(path: str) -> bool:
    """Whether fsspec, rather than the local file system, opens this path."""
    return "://" in path


def is_gone(path: str) -> bool:
    """Say whether nothing is at a local path, or a link that leads nowhere or in a circle."""
    try:
        Path(path).stat()
    except OSError as error:
        return isinstance(error, FileNotFoundError) or error.errno == errno.ELOOP
    return False


def tidy(url: str) -> str:
    """Return a URL without what changes nothing: caches before it, and a web page's fragment.

    Raises:
        AssayError: it is a chain of URLs that is no file in an archive.
    """
    if url.startswith(WEB):
        return url.partition("#")[0]
    first, chained, rest = url.partition(CHAIN)
    if chained and first in WRAPPERS:
        return tidy(rest)
    if first.startswith(ARCHIVES):
        if not rest:
            raise AssayError(f"{url}: name the archive as well: {first}{CHAIN}ARCHIVE")
        return f"{first}{CHAIN}{tidy(rest) if is_url(rest) else f'file://{Path(rest).absolute()}'}"
    if chained and is_url(url):
        known = ", ".join(f"{scheme}FILE{CHAIN}ARCHIVE" for scheme in ARCHIVES)
        raise AssayError(f"{url}: of chained URLs only {known} are read; name the file itself")
    return url


def file_path(path: str) -> str:
    """Return what of a path or URL ends in the file's suffix: no query, and no archive."""
    if path.startswith(ARCHIVES):
        return path.partition(CHAIN)[0]
    return path.partition("?")[0] if path.startswith(WEB) else path


def name_path(path: str) -> str:
    """Return a path or URL as it is named in ids: a file in an archive lies below the archive."""
    if path.startswith(ARCHIVES):
        inner, _, archive = path.partition(CHAIN)
        return f"{name_path(archive)}/{inner.partition('://')[2].lstrip('/')}"
    return file_path(path)
