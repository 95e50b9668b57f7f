"""Reading a slice of what was planned: the same bytes, or an error; never fewer.

An input that could be read when the run was planned is read again after a pause where it fails,
and then fails the run. One that could not be read then is not read now, for the run is claimed
without it. Faults of the data are the readers' to find, and end in quarantine.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path

from pipelines.readers.records import Item, Reject, RejectKind, Slice
from pipelines.readers.streams import open_stream, retries
from pipelines.readers.streams.compression import BLOCK
from pipelines.readers.streams.remote import COPIES
from pipelines.readers.streams.retries import ChangedInput, LostInput, describe
from pipelines.readers.streams.urls import is_url
from weighting.errors import AGAIN, AssayError

Scan = Callable[[], Iterator[Item]]
Digest = Callable[[str], tuple[int, str]]
DIGESTS = 64  # of inputs whose reader has a digest of its own


def read_planned(slice_: Slice, scan: Scan, digest: Digest) -> Iterator[Item]:
    """Yield the items of a slice, which `scan` begins to read anew at each call.

    Raises:
        AssayError: the input cannot be read any more, or is another one.
    """
    if slice_.hash == open_stream.UNREADABLE:
        yield _refuse(slice_)
    elif slice_.hash:
        try:
            yield from _read_same(slice_, scan, digest)
        except LostInput as error:
            raise _explain(slice_, error) from None
    else:
        yield from _read_any(slice_, scan)


def _read_same(slice_: Slice, scan: Scan, digest: Digest) -> Iterator[Item]:
    """Yield the items of an input that is to be as it was; go on where it failed."""
    done = 0
    for wait in (*retries.WAITS, None):
        try:
            _check(slice_, digest)
            for item in islice(scan(), done, None):
                done += 1
                yield item
            _check(slice_, digest)  # a file may have grown meanwhile
            return
        except OSError as error:
            if error.errno is None:  # a decoder's
                yield _reject(slice_, str(error))
                return
            lost = LostInput(describe(error))
        except ChangedInput:
            raise
        except LostInput as error:
            lost = error
        if wait is None or is_url(slice_.path):  # tried again already
            raise lost
        retries.rest(wait)


def _read_any(slice_: Slice, scan: Scan) -> Iterator[Item]:
    """Yield the items of an input of which nothing is known.

    A local one that fails is one reject for the rest of the slice.
    """
    try:
        yield from scan()
    except (OSError, LostInput) as error:
        if is_url(slice_.path):
            raise AssayError(f"{slice_.path}: cannot be read ({describe(error)})") from None
        yield _reject(slice_, str(error))


def _check(slice_: Slice, digest: Digest) -> None:
    """Compare an input with what it was: a remote one's hash, a local file's size.

    Raises:
        LostInput: it cannot be looked at, or is another one (ChangedInput).
        OSError: likewise.
    """
    if digest is not open_stream.digest:
        size, now = _digest_once(digest, slice_.path)
        if now != slice_.hash:
            raise ChangedInput(f"{size:,} bytes with hash {now} for {slice_.hash}")
    elif is_url(slice_.path):
        COPIES.get(slice_.path, slice_.hash)
    elif (size := Path(slice_.path).stat().st_size) != slice_.stored:
        raise ChangedInput(f"{size:,} bytes for {slice_.stored:,}")


@lru_cache(maxsize=DIGESTS)
def _digest_once(digest: Digest, path: str) -> tuple[int, str]:
    return digest(path)


def _refuse(slice_: Slice) -> Reject:
    """Return the reject of an input that could not be read when the run was planned."""
    try:
        with open_stream.open_input(slice_.path) as file:
            while file.read(BLOCK):
                pass
    except (OSError, LostInput) as error:
        return _reject(slice_, str(error))
    return _reject(slice_, "could not be read when the run was planned; assay replay reads it now")


def _reject(slice_: Slice, message: str) -> Reject:
    return Reject(f"slice {slice_.start}:{slice_.end}", RejectKind.UNREADABLE, message, b"")


def _explain(slice_: Slice, error: LostInput) -> AssayError:
    if isinstance(error, ChangedInput):
        return AssayError(
            f"{slice_.path} is not what it was when the run was planned ({error}); put that back "
            "and run the same command again, or begin anew with --overwrite"
        )
    return AssayError(
        f"{slice_.path} could be read when the run was planned and cannot be now ({error}); {AGAIN}"
    )
