"""Reading a corpus from Python: its slices, and all its records one after the other."""

from collections.abc import Iterable, Iterator
from sys import maxsize
from typing import NamedTuple

from pipelines.readers.folders import LeftOut
from pipelines.readers.inputs import Input, Inputs, expand
from pipelines.readers.records import Found, ReadOptions, Record, Slice
from pipelines.readers.registry import READERS
from pipelines.readers.streams.open_stream import file_size
from pipelines.readers.streams.placeholders import find_fault
from pipelines.readers.streams.retries import LostInput
from pipelines.readers.streams.urls import is_url
from weighting.errors import AssayError

DEFAULTS = ReadOptions()


class Slices(NamedTuple):
    """The slices of a corpus in order, and what was found in its folders and is not read."""

    slices: list[Slice]
    ignored: list[str]
    left_out: list[LeftOut]


def list_slices(inputs: Iterable[str], target_bytes: int, reader: str | None = None) -> Slices:
    """Cut what the user names into slices of about `target_bytes` of text, by name and place.

    Raises:
        AssayError: an input does not exist or cannot be read by any reader, or no input is named.
    """
    return cut_inputs(expand(inputs, reader), target_bytes)


def cut_inputs(inputs: Inputs, target_bytes: int) -> Slices:
    """Cut inputs into slices of about `target_bytes` of text, by name and place.

    Raises:
        AssayError: a remote input cannot be read, or is a pointer to a file that is elsewhere.
    """
    slices = {
        slice_._replace(reader=item.reader)
        for item in inputs.found
        for slice_ in _cut(item, target_bytes)
    }
    in_order = sorted(slices, key=lambda slice_: (slice_.name, slice_.start))
    return Slices(in_order, inputs.ignored, inputs.left_out)


def read_records(
    inputs: Iterable[str], options: ReadOptions = DEFAULTS, reader: str | None = None
) -> Iterator[Found]:
    """Yield every record of a corpus and its file's name, in order of names and places.

    Inputs are what `assay curate` takes; `reader` names the reader of all files, whatever their
    suffixes. What cannot be read is left out: `Reader.read` yields it, with the reason.

    Raises:
        AssayError: an input does not exist or cannot be read by any reader, or no input is named.
    """
    for slice_ in list_slices(inputs, maxsize, reader).slices:
        for item in READERS[slice_.reader].read(slice_, options):
            if isinstance(item, Record):
                yield Found(slice_.name, item)


def _cut(item: Input, target_bytes: int) -> list[Slice]:
    reader = READERS[item.reader]
    try:
        if is_url(item.path) and reader.suffixes and (fault := find_fault(item.path)):
            raise AssayError(f"{item.path} {fault}")
        return reader.cut(item.path, item.name, target_bytes)
    except LostInput as error:
        if is_url(item.path):
            raise error.tell(f"{item.path}: cannot be read") from None
        return [Slice(item.path, item.name, item.reader, 0, -1, file_size(item.path))]
