"""Remote inputs: each is brought whole to a local copy, and everything is read from that.

So an input is got once, tried again where the network fails, and compared with its stated size and
with the hash that it had when the run was planned: a decoder never meets a broken connection. A
process keeps copies of KEPT bytes together, or one that is larger. They are in the folder for
temporary files (TMPDIR), without a name, so that they go with the process whatever ends it.
"""

import logging
import os
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, NamedTuple

import xxhash
from fsspec.callbacks import Callback
from fsspec.config import conf
from fsspec.core import url_to_fs

from pipelines.readers.streams import retries
from pipelines.readers.streams.compression import BLOCK, is_compressed
from pipelines.readers.streams.retries import ChangedInput, LostInput, describe, retry
from weighting.errors import AssayError

KEPT = 256 * 2**20  # bytes of copies that a process keeps
CONNECT_SECONDS = 10.0
READ_SECONDS = float(os.environ.get("ASSAY_READ_SECONDS", "30"))  # without any byte
EXTRAS = {
    **dict.fromkeys(("s3", "s3a"), "s3"),
    **dict.fromkeys(("gs", "gcs"), "gcs"),
    **dict.fromkeys(("http", "https"), "http"),
}


class Copy(NamedTuple):
    """What an input holds: a file without a name, its size and the hex xxh3-64 of its bytes."""

    file: BinaryIO
    size: int
    hash: str

    def open(self) -> BinaryIO:
        """Return the bytes as a file of its own, which shares no position with others."""
        return os.fdopen(os.dup(self.file.fileno()), "rb", buffering=0)


class Stat(NamedTuple):
    """Size and hash of an input."""

    size: int
    hash: str


class Copies:
    """The copies of a process, by URL, the one used last at the end."""

    def __init__(self) -> None:
        self._copies: OrderedDict[str, Copy] = OrderedDict()
        self._stats: dict[str, Stat] = {}
        self._lock = Lock()

    def get(self, url: str, expected: str = "") -> Copy:
        """Return the copy of an input, got now where there is none of the `expected` hash.

        Raises:
            LostInput: it cannot be got, or is no longer what is expected (ChangedInput).
            AssayError: there is no room for it.
        """
        with self._lock:
            copy = self._copies.pop(url, None)
            if copy is None or expected not in ("", copy.hash):
                if copy:
                    copy.file.close()  # whoever reads it has a handle of their own
                while sum(kept.size for kept in self._copies.values()) > KEPT:
                    self._copies.popitem(last=False)[1].file.close()
                copy = download(url, expected)
            self._copies[url] = copy
            self._stats[url] = Stat(copy.size, copy.hash)
            return copy

    def stat(self, url: str) -> Stat:
        """Return size and hash of an input, remembered where it was got before."""
        known = self._stats.get(url)
        return known or Stat(*self.get(url)[1:])

    def forget(self) -> None:
        """Drop all copies, and what is known of them."""
        with self._lock:
            for copy in self._copies.values():
                copy.file.close()
            self._copies.clear()
            self._stats.clear()


COPIES = Copies()


def connect(url: str) -> tuple[Any, str]:
    """Return fsspec's file system for a URL, and the path in it.

    Raises:
        LostInput: there is no such scheme, or its package is missing or refuses the settings.
    """
    protocol = url.partition("://")[0]
    if EXTRAS.get(protocol) == "gcs":
        _quiet_gcs()
    try:
        filesystem, path = url_to_fs(url, **_list_options(protocol, url))
    except ImportError as error:
        extra = EXTRAS.get(protocol)
        advice = f"; pip install 'assay[{extra}]'" if extra else ""
        raise LostInput(f"a package is missing: {describe(error)}{advice}", lasts=True) from None
    except Exception as error:  # of any file system, for settings that it does not take
        raise LostInput(describe(error), lasts=True) from None
    if EXTRAS.get(protocol) == "s3":
        filesystem.retries = 1  # trying again is done here
    return filesystem, path


def list_waits(url: str) -> Sequence[float]:
    """Return the seconds to wait before each new try; gcsfs tries six times by itself."""
    return () if EXTRAS.get(url.partition("://")[0]) == "gcs" else retries.WAITS


def download(url: str, expected: str = "") -> Copy:
    """Return a copy of an input.

    Without an `expected` hash its size is compared with what the store states.

    Raises:
        LostInput: it cannot be got, or has another hash (ChangedInput).
        AssayError: there is no room for it.
    """
    filesystem, path = connect(url)

    def get() -> Copy:
        size = Size(url)
        copy = _get(filesystem, path, size)
        try:
            _check_size(copy.size, size.stated)
            if not expected:
                _check_size(copy.size, _ask_size(filesystem, path))
            elif copy.hash != expected:
                raise ChangedInput(f"{copy.size:,} bytes with hash {copy.hash} for {expected}")
        except BaseException:
            copy.file.close()
            raise
        return copy

    return retry(get, filesystem.invalidate_cache, list_waits(url))


def _get(filesystem: Any, path: str, size: "Size") -> Copy:  # noqa: ANN401 - fsspec has no types
    handle, name = tempfile.mkstemp(prefix="assay-input-")
    os.close(handle)
    try:
        filesystem.get_file(path, name, callback=size)
        file = Path(name).open("rb", buffering=0)  # noqa: SIM115 - kept open: it is the copy
    finally:
        Path(name).unlink(missing_ok=True)
    digest, read = xxhash.xxh3_64(), 0
    while block := file.read(BLOCK):
        digest.update(block)
        read += len(block)
    return Copy(file, read, digest.hexdigest())


class Size(Callback):  # type: ignore[misc]  # fsspec has no types
    """Hears an input's stated size before its bytes come, and looks whether they fit."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.stated: int | None = None

    def set_size(self, size: int | None) -> None:
        """Take the size.

        Raises:
            AssayError: there is no room for so many bytes.
        """
        self.stated = size
        folder = tempfile.gettempdir()
        free = shutil.disk_usage(folder).free
        if size is not None and size > free:
            raise AssayError(
                f"{self.url}: {size:,} bytes do not fit into {folder}, which has {free:,} free; "
                "name another folder as TMPDIR"
            )


def _ask_size(filesystem: Any, path: str) -> int | None:  # noqa: ANN401
    try:
        size = filesystem.info(path).get("size")
    except FileNotFoundError as error:  # over HTTP whatever fails; the input was got just now
        raise OSError(f"its size cannot be asked for ({describe(error)})") from None
    return None if size is None else int(size)


def _check_size(size: int, stated: int | None) -> None:
    """Refuse a body that breaks off; one that was unpacked on the way is longer than stated."""
    if stated is not None and size < stated:
        raise OSError(f"{size:,} bytes came of {stated:,}")


def _list_options(protocol: str, url: str) -> dict[str, Any]:
    """Return the options of a file system: timeouts, and no trying again but ours.

    What users set for fsspec (FSSPEC_S3_…) is kept.
    """
    ours: dict[str, Any] = {}
    if EXTRAS.get(protocol) == "s3":
        timeouts = {"connect_timeout": CONNECT_SECONDS, "read_timeout": READ_SECONDS}
        ours["config_kwargs"] = {**timeouts, "retries": {"max_attempts": 0}}
    elif EXTRAS.get(protocol) == "gcs":
        ours["requests_timeout"] = _aiohttp_timeout()
    elif EXTRAS.get(protocol) == "http":
        # What is compressed under its own name stays so; what is packed for the way only does not.
        unpack = not is_compressed(url)
        ours["client_kwargs"] = {"timeout": _aiohttp_timeout(), "auto_decompress": unpack}
        ours["headers"] = {"Accept-Encoding": "identity"}
        # A signature is of the query as it is written.
        ours["encoded"] = "?" in url and url.isascii() and " " not in url
    for key, theirs in conf.get(protocol, {}).items():
        if key in ours:
            ours[key] = {**ours[key], **theirs} if isinstance(theirs, dict) else theirs
    return ours


def _quiet_gcs() -> None:
    """Keep gcsfs from logging a traceback at each try, and from asking for kinds of buckets."""
    os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    logging.getLogger("gcsfs").setLevel(logging.CRITICAL)


def _aiohttp_timeout() -> Any:  # noqa: ANN401 - of a package of extras
    import aiohttp

    return aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS)
