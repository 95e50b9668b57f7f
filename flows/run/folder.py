"""The run folder: claimed by one set of inputs, recipe and code; remembers finished stages."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from flows.recipe.schema import Recipe, parse_recipe
from pipelines.settings import CurateSettings, Job, ScoreSettings
from pipelines.work.folder import WorkFolder
from pipelines.work.units import Unit
from weighting.contracts.claim import CLAIM
from weighting.contracts.inputs import InputEntry
from weighting.contracts.timings import StageTiming
from weighting.errors import AssayError, BrokenContract
from weighting.storage.json_records import read_record, to_json, write_record
from weighting.storage.lock import clear, list_content

REFERENCE = "reference"  # in a run's folder: the models that it trains, and on what


@dataclass(frozen=True)
class Claim:
    """What a folder is claimed for: RUN/run.json.

    `recipe` is the effective recipe as JSON, `code` the hash of the code that makes the data
    (`pipelines.identity`). `paths` are what named the inputs, absolute where local; `against` the
    folders of earlier runs, whose documents are not to come again.
    """

    inputs: list[InputEntry]
    recipe: Mapping[str, Any]
    code: str
    paths: list[str]
    units: list[Unit]
    against: list[str] = field(default_factory=list)

    @cached_property
    def fingerprint(self) -> str:
        """Return the hash of what makes this run another one."""
        identity = {"inputs": to_json(self.inputs), "recipe": self.recipe, "code": self.code}
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]

    def list_differences(self, other: "Claim") -> list[str]:
        """Return what makes the other claim another run's, in words."""
        differs = {
            "inputs": self.inputs != other.inputs,
            "recipe": self.recipe != other.recipe,
            "code or versions of libraries": self.code != other.code,
        }
        return [name for name, found in differs.items() if found]


@dataclass(frozen=True)
class Run:
    """An open run folder. Everything a stage needs is read from it, so tasks pass only its path."""

    folder: Path
    claim: Claim
    recipe: Recipe

    @property
    def job(self) -> Job:
        """Return where the jobs read and write."""
        return Job(self.folder, WorkFolder(self.folder / "units" / self.claim.fingerprint))

    def curate_settings(self) -> CurateSettings:
        """Return what the curate job needs."""
        return replace(self.recipe.curate_settings(), against=tuple(self.claim.against))

    def score_settings(self) -> ScoreSettings:
        """Return what the count and score jobs need."""
        return self.recipe.score_settings(sum(self.sizes().values()), self.folder / REFERENCE)

    @property
    def trained(self) -> Mapping[str, Path]:
        """Return the folders of the references, where the run trains them, by their halves."""
        return self.recipe.reference.locate_trained(self.folder / REFERENCE)

    def sizes(self) -> dict[int, int]:
        """Return the estimated bytes of text of every unit."""
        return {unit.uid: sum(piece.size for piece in unit.slices) for unit in self.claim.units}

    def is_done(self, stage: str) -> bool:
        """Say whether a stage finished."""
        return (self.folder / "stages" / f"{stage}.json").exists()

    def finish(self, stage: str, timing: StageTiming) -> None:
        """Record that a stage finished, and what it took."""
        write_record(self.folder / "stages" / f"{stage}.json", timing)

    def read_timing(self, stage: str) -> StageTiming:
        """Return what a stage that finished took."""
        return read_record(StageTiming, self.folder / "stages" / f"{stage}.json")


def claim_run(folder: Path, claim: Claim, overwrite: bool = False) -> Run:
    """Claim a folder for a run, or return to the run that is there if it is the same one.

    Raises:
        AssayError: the folder holds something else, or a run of other inputs, recipe or code.
    """
    if (folder / CLAIM).exists():
        there = _read_claim(folder)
        if there is not None and there.fingerprint == claim.fingerprint:
            return open_run(folder)
        if not overwrite:
            raise _refuse_other(folder, there, claim)
        clear(folder)
    elif folder.exists() and (not folder.is_dir() or list_content(folder)):
        raise AssayError(f"{folder} exists and is no run of assay; name another --out")
    write_record(folder / CLAIM, claim)
    return open_run(folder)


def open_run(folder: Path) -> Run:
    """Open a claimed run folder.

    Raises:
        AssayError: no run is there, or another version of assay claimed it.
    """
    if not (folder / CLAIM).is_file():
        raise AssayError(f"{folder}: no run of assay is there (no {CLAIM})")
    claim = _read_claim(folder)
    if claim is None:
        raise _refuse_version(folder)
    try:
        return Run(folder, claim, parse_recipe(claim.recipe))
    except ValueError:  # pydantic's errors are
        raise _refuse_version(folder) from None


def _read_claim(folder: Path) -> Claim | None:
    """Return the claim on a folder, None where this version of assay cannot read it."""
    try:
        return read_record(Claim, folder / CLAIM)
    except BrokenContract:
        return None


def _refuse_other(folder: Path, there: Claim | None, claim: Claim) -> AssayError:
    if there is None:
        return _refuse_version(folder)
    what = " and ".join(there.list_differences(claim))
    return AssayError(
        f"{folder} holds a run of other {what}; name another --out, or give --overwrite"
    )


def _refuse_version(folder: Path) -> AssayError:
    return AssayError(
        f"{folder}: made by another version of assay, whose {CLAIM} this one cannot read; make "
        "it again: assay curate with --overwrite"
    )
