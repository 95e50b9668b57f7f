"""The file that makes a folder a run: RUN/run.json, which says for what the folder is claimed."""

import json
from pathlib import Path

CLAIM = "run.json"
FIELDS = frozenset({"inputs", "recipe", "code"})  # of every version


def is_claimed(folder: Path) -> bool:
    """Say whether a folder is a run's, of any version of assay: data may be named run.json too."""
    try:
        return is_claim((folder / CLAIM).read_bytes())
    except OSError:
        return False


def is_claim(content: bytes) -> bool:
    """Say whether a file's content is a claim."""
    try:
        found = json.loads(content)
    except ValueError:
        return False
    return isinstance(found, dict) and found.keys() >= FIELDS
