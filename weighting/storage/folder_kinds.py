"""What a folder is, told by the files that make it so: nothing is written into another's."""

import json
from pathlib import Path

from weighting.contracts.claim import is_claimed
from weighting.contracts.splits import SPLITS

CURATED = "a run of assay curate"
ABLATION = "an ablation"
SHARDS = "a folder of shards"
TRAINING = "a training run"


def name_kind(folder: Path) -> str:
    """Return what a folder is, one of the above; nothing where it is none of them, or not there."""
    if is_claimed(folder) or "manifest_version" in _read_keys(folder / "manifest.json"):
        return CURATED
    if "arms" in _read_keys(folder / "plan.json") | _read_keys(folder / "results.json"):
        return ABLATION
    if any(folder.glob("*.arrow")) or any(any(folder.glob(f"{split}-*.*")) for split in SPLITS):
        return SHARDS
    finished = {"config", "data", "final"} <= _read_keys(folder / "result.json")
    if finished or any(folder.glob("checkpoints/step-*/record.json")):
        return TRAINING
    return ""


def _read_keys(path: Path) -> set[str]:
    """Return the keys of the object in a JSON file; none where there is no such file."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return set()
    return set(content) if isinstance(content, dict) else set()
