"""Quarantine: every record that could not be read, with the reason and its raw bytes.

`RUN/quarantine/*.jsonl.zst` holds one JSON object a reject, in the order written. Entries name
files as ids do, not by where the corpus lies, so the same corpus gives the same bytes anywhere.
"""

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import orjson
import zstandard

from pipelines.readers.records import Reject, Slice
from pipelines.readers.streams.lines import read_lines
from weighting.errors import BrokenContract
from weighting.storage.files import replacing

QUARANTINE_VERSION = 1  # of the entries; `assay replay` may be of a later assay than the run


class Entry(NamedTuple):
    """One quarantined record: the file's name, its reader, and the reject's own fields."""

    name: str
    reader: str
    locator: str
    error: str
    message: str
    payload: bytes


def entry(slice_: Slice, reject: Reject) -> Entry:
    """Return the quarantine entry of a reject that was read from a slice."""
    return Entry(name=slice_.name, reader=slice_.reader, **reject._asdict())


def write(path: Path, entries: Iterable[Entry]) -> int:
    """Write entries to `path`, whole or not at all, and return how many there were."""
    count = 0
    with replacing(path) as temporary, zstandard.open(temporary, "wb") as file:
        for item in entries:
            file.write(_pack(item) + b"\n")
            count += 1
    return count


def read(folder: Path) -> Iterator[Entry]:
    """Yield the entries of every file in a quarantine folder, in order of file name.

    Raises:
        BrokenContract: a file is damaged, or its entries are of another version.
    """
    for path in sorted(folder.glob("*.jsonl.zst")):
        for line in read_lines(str(path), 0, -1):
            if isinstance(line, Reject):
                raise BrokenContract(f"{path}: {line.message} at {line.locator}")
            yield _unpack(path, line[1])


def _pack(item: Entry) -> bytes:
    fields = {"version": QUARANTINE_VERSION, **item._asdict()}
    fields["payload_base64"] = base64.b64encode(fields.pop("payload")).decode()
    # A message may quote a file name that is not UTF-8; JSON cannot hold that.
    fields["message"] = item.message.encode("utf-8", "replace").decode()
    return orjson.dumps(fields)


def _unpack(path: Path, line: bytes) -> Entry:
    fields = orjson.loads(line)
    version = fields.pop("version", None)
    if version != QUARANTINE_VERSION:
        raise BrokenContract(
            f"{path}: quarantine of version {version}, this code reads {QUARANTINE_VERSION}"
        )
    fields["payload"] = base64.b64decode(fields.pop("payload_base64"))
    return Entry(**fields)
