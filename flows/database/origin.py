"""What a run's database comes from: when any of it has changed, the database is built again."""

import hashlib
from pathlib import Path

from weighting.contracts.manifest import MANIFEST_NAME

NAME = "assay.duckdb"
CODE = (".py", ".j2")  # files of this folder that decide what is in the database


def list_ablations(run: Path) -> list[Path]:
    """Return RUN/ablations/NAME/results.json of every finished ablation, by name."""
    return sorted((run / "ablations").glob("*/results.json"))


def hash_origin(run: Path) -> str:
    """Return a hash of all that the stored tables come from, the code of the tables included."""
    digest = hashlib.sha256()
    code = sorted(path for path in Path(__file__).parent.iterdir() if path.suffix in CODE)
    for path in (*code, run / MANIFEST_NAME, *list_ablations(run)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def hash_manifest(run: Path) -> str:
    """Return the SHA-256 of a run's manifest: a view reads no files but those of this manifest."""
    return hashlib.sha256((run / MANIFEST_NAME).read_bytes()).hexdigest()
