"""Units: the work items of the data pipelines, planned once from what the user names.

A unit is a few slices of input files, some MB of text together. It is the element that the Beam
graphs carry, packed in bytes, because only integers and bytes may cross their stages.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import orjson

from pipelines.readers.folders import LeftOut
from pipelines.readers.inputs import Inputs, expand
from pipelines.readers.read import cut_inputs
from pipelines.readers.records import Slice
from pipelines.readers.registry import READERS
from pipelines.readers.streams.retries import LostInput
from weighting.contracts.inputs import InputEntry

TARGET_BYTES = 4 * 2**20
SLICE_COST = 4096  # what opening a file costs, in bytes read; bounds the slices of a unit


class Unit(NamedTuple):
    """Some slices that one worker reads in order. `uid` counts up from 0 in order of names."""

    uid: int
    slices: tuple[Slice, ...]

    def encode(self) -> bytes:
        """Return the unit as bytes."""
        return orjson.dumps([self.uid, [[*slice_] for slice_ in self.slices]])

    @classmethod
    def decode(cls, data: bytes) -> "Unit":
        """Return the unit that `encode` packed."""
        uid, slices = orjson.loads(data)
        return cls(uid, tuple(Slice(*slice_) for slice_ in slices))


class Plan(NamedTuple):
    """The units of a corpus, and what was found in its folders and is not read.

    `ignored` are files that no reader takes, `left_out` what was not looked into.
    """

    units: list[Unit]
    ignored: list[str]
    left_out: list[LeftOut]


def plan(
    inputs: Sequence[str], target_bytes: int = TARGET_BYTES, reader: str | None = None
) -> Plan:
    """Plan how to read a corpus in units of about `target_bytes` of text.

    Inputs are files, globs, folders, fsspec URLs, `hf:NAME[:CONFIG][@SPLIT]`, the same with
    `hf-stream:`, and `python-docs[:MB]`; `reader` names the reader of all files instead of their
    suffixes. The plan is the same for any order of the inputs and for an input named twice.

    Raises:
        AssayError: an input does not exist or cannot be read by any reader, or no input is named.
    """
    return plan_found(expand(inputs, reader), target_bytes)


def plan_found(inputs: Inputs, target_bytes: int = TARGET_BYTES) -> Plan:
    """Plan how to read inputs that were found, in units of about `target_bytes` of text.

    Raises:
        AssayError: a remote input cannot be read.
    """
    slices, ignored, left_out = cut_inputs(inputs, target_bytes)
    return Plan(_pack(slices, target_bytes), ignored, left_out)


def fingerprint(units: Iterable[Unit]) -> list[InputEntry]:
    """Return the entry of every distinct input, by name.

    Raises:
        AssayError: an input cannot be read; a link that leads nowhere may be.
    """
    inputs = {(part.name, part.path, part.reader) for unit in units for part in unit.slices}
    return [InputEntry(name, *_digest(path, reader)) for name, path, reader in sorted(inputs)]


def _digest(path: str, reader: str) -> tuple[int, str]:
    try:
        return READERS[reader].digest(path)
    except LostInput as error:
        raise error.tell(f"{path}: cannot be read") from None


def bind(units: Iterable[Unit], inputs: Iterable[InputEntry]) -> list[Unit]:
    """Return units whose slices know size and hash of their inputs, as they are to be read.

    `inputs` are the entries of a claim: those of `fingerprint`, then others.
    """
    known: dict[str, InputEntry] = {}
    for entry in inputs:
        known.setdefault(entry.name, entry)

    def bind_one(slice_: Slice) -> Slice:
        entry = known[slice_.name]
        return slice_._replace(stored=entry.size, hash=entry.hash)

    return [Unit(unit.uid, tuple(map(bind_one, unit.slices))) for unit in units]


def _pack(slices: Sequence[Slice], target_bytes: int) -> list[Unit]:
    """Put consecutive slices in one unit as long as they stay within the target."""
    groups: list[list[Slice]] = []
    filled = 0
    for slice_ in slices:
        cost = slice_.size + SLICE_COST
        if not groups or filled + cost > target_bytes:
            groups.append([])
            filled = 0
        groups[-1].append(slice_)
        filled += cost
    return [Unit(uid, tuple(group)) for uid, group in enumerate(groups)]
