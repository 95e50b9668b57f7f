"""The manifest: what a run is made of, written last, and the invariants that a run must keep."""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weighting.contracts.counts import Counts, Funnel
from weighting.contracts.inputs import InputEntry
from weighting.contracts.timings import Timings
from weighting.errors import BrokenContract, BrokenInvariant
from weighting.extensions import Extension
from weighting.storage.files import read_json, sha256
from weighting.storage.json_records import from_json, write_record

if TYPE_CHECKING:  # a manifest is read without PyArrow, which takes a quarter of a second to load
    from weighting.contracts.shards import Shard

MANIFEST_VERSION = 6
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
class TokenizerFacts:
    """The tokenizer that made the token ids."""

    sha256: str
    vocab_size: int
    eos_id: int


@dataclass(frozen=True)
class Manifest:
    """The whole story of a run, as JSON.

    `recipe` is the effective recipe with every default written out, whose sections are those of
    `flows.recipe.schema`; `versions` are of the code and the libraries that can change the output.
    `timings` are facts of one making of the run: manifests are equal whatever they say.
    """

    recipe: Mapping[str, Any]
    inputs: list[InputEntry]
    counts: Counts
    files: list[FileEntry]
    versions: Mapping[str, str]
    tokenizer: TokenizerFacts
    extensions: list[Extension] = field(default_factory=list)
    timings: Timings = field(default_factory=Timings, compare=False)
    manifest_version: int = MANIFEST_VERSION


def write_manifest(run: Path, manifest: Manifest) -> None:
    """Write RUN/manifest.json atomically. Call it last: its presence says that the run is whole."""
    write_record(run / MANIFEST_NAME, manifest)


def read_manifest(run: Path) -> Manifest:
    """Read RUN/manifest.json.

    Raises:
        AssayError: there is none.
        BrokenContract: it is of another version, or no manifest.
    """
    path = run / MANIFEST_NAME
    fields = read_json(path)
    version = fields.get("manifest_version")
    if version != MANIFEST_VERSION:
        raise BrokenContract(
            f"{run}: made by another version of assay (manifest version {version}, this one reads "
            f"{MANIFEST_VERSION}); make it again: assay curate with --overwrite"
        )
    return from_json(Manifest, fields, str(path))


def digest_manifest(run: Path) -> tuple[int, str]:
    """Return size and SHA-256 of a manifest less its timings, which are the same for equal runs.

    Raises:
        AssayError: there is no manifest.
    """
    fields = read_json(run / MANIFEST_NAME)
    said = {name: value for name, value in fields.items() if name != "timings"}
    content = json.dumps(said, sort_keys=True).encode()
    return len(content), hashlib.sha256(content).hexdigest()


def describe_file(
    run: Path, path: Path, rows: int, tokens: int = 0, mass: float = 0.0
) -> FileEntry:
    """Return the manifest's entry of an output file, its checksum computed."""
    return FileEntry(path.relative_to(run).as_posix(), sha256(path), rows, tokens, mass)


def find_fault(run: Path, entry: FileEntry) -> str | None:
    """Return what is wrong with a file of the manifest, None if its bytes are the manifest's."""
    path = run / entry.path
    try:
        return None if sha256(path) == entry.sha256 else "bytes differ from the manifest's checksum"
    except FileNotFoundError:
        return "named in the manifest, missing on disk"
    except OSError as error:
        return f"cannot be read ({error.strerror})"


def check_files(run: Path, files: Iterable[FileEntry]) -> None:
    """Raise BrokenContract at the first file of the manifest that is missing or has other bytes."""
    for entry in files:
        if fault := find_fault(run, entry):
            raise BrokenContract(f"{run / entry.path}: {fault}")


def check_records(funnel: Funnel, measure: str) -> None:
    """Check read = kept + dropped + duplicate + quarantined, in records, characters or tokens.

    Raises:
        BrokenInvariant: it does not add up; the message shows every term.
    """
    parts = {verdict: count for verdict, count in asdict(funnel).items() if verdict != "read"}
    total = sum(parts.values())
    if funnel.read != total:
        terms = " + ".join(f"{count} {verdict}" for verdict, count in parts.items())
        raise BrokenInvariant(f"{measure}: read {funnel.read}, but {terms} = {total}")


def check_weight_mass(split: str, shards: "Iterable[Shard]") -> None:
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
