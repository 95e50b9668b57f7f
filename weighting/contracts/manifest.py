"""The manifest: what a run is made of, written last, and the invariants that a run must keep."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from weighting.contracts.inputs import InputEntry
from weighting.contracts.shards import Shard
from weighting.errors import BrokenContract, BrokenInvariant
from weighting.storage.files import read_json, sha256, write_json

MANIFEST_VERSION = 4
MANIFEST_NAME = "manifest.json"
# A float32 weight is off by at most 2^-24 of itself, and so is a mean of such weights; the rest
# of the tolerance is for the raw weights, which are float32 as well.
MEAN_TOLERANCE = 2.0**-20


@dataclass(frozen=True)
class FileEntry:
    """One output file: path relative to the run, rows and tokens where it has them."""

    path: str
    sha256: str
    rows: int
    tokens: int = 0
    weight_mass: float = 0.0


@dataclass(frozen=True)
class Manifest:
    """The whole story of a run, as JSON.

    `recipe` is the effective recipe with every default written out; `counts` holds the funnel;
    `versions` the code and libraries.
    """

    recipe: Mapping[str, Any]
    inputs: list[InputEntry]
    counts: Mapping[str, Any]
    files: list[FileEntry]
    versions: Mapping[str, str]
    tokenizer: Mapping[str, Any]
    manifest_version: int = field(default=MANIFEST_VERSION)


def write_manifest(run: Path, manifest: Manifest) -> None:
    """Write RUN/manifest.json atomically. Call it last: its presence says that the run is whole."""
    write_json(run / MANIFEST_NAME, asdict(manifest))


def read_manifest(run: Path) -> Manifest:
    """Read RUN/manifest.json.

    Raises:
        AssayError: there is none.
        BrokenContract: it is of another version.
    """
    fields = read_json(run / MANIFEST_NAME)
    version = fields.get("manifest_version")
    if version != MANIFEST_VERSION:
        raise BrokenContract(
            f"{run}: made by another version of assay (manifest version {version}, this one reads "
            f"{MANIFEST_VERSION}); make it again: assay curate with --overwrite"
        )
    files = [FileEntry(**entry) for entry in fields.pop("files")]
    inputs = [InputEntry(**entry) for entry in fields.pop("inputs")]
    return Manifest(files=files, inputs=inputs, **fields)


def describe_file(
    run: Path, path: Path, rows: int, tokens: int = 0, mass: float = 0.0
) -> FileEntry:
    """Return the manifest's entry of an output file, its checksum computed."""
    return FileEntry(path.relative_to(run).as_posix(), sha256(path), rows, tokens, mass)


def check_files(run: Path, manifest: Manifest) -> None:
    """Raise BrokenContract where a file of the manifest is missing or has other bytes."""
    for entry in manifest.files:
        path = run / entry.path
        if not path.exists():
            raise BrokenContract(f"{path}: named in the manifest, missing on disk")
        if sha256(path) != entry.sha256:
            raise BrokenContract(f"{path}: bytes differ from the manifest's checksum")


def check_records(counts: Mapping[str, int], unit: str) -> None:
    """Check read = kept + dropped + duplicate + quarantined, in records, characters or tokens.

    Raises:
        BrokenInvariant: it does not add up; the message shows every term.
    """
    parts = ("kept", "dropped", "duplicate", "quarantined")
    total = sum(counts.get(part, 0) for part in parts)
    if counts["read"] != total:
        terms = " + ".join(f"{counts.get(part, 0)} {part}" for part in parts)
        raise BrokenInvariant(f"{unit}: read {counts['read']}, but {terms} = {total}")


def check_weight_mass(split: str, shards: Iterable[Shard]) -> None:
    """Check that the weights of a split sum to its number of tokens, within rounding.

    Raises:
        BrokenInvariant: they do not.
    """
    tokens, masses = 0, []
    for shard in shards:
        tokens += shard.tokens
        masses += [float(part.weights_N.sum(dtype="float64")) for part in shard.segments]
    mass = math.fsum(masses)
    if abs(mass - tokens) > MEAN_TOLERANCE * tokens:
        raise BrokenInvariant(f"split {split}: weight mass {mass:.1f} for {tokens} tokens")
