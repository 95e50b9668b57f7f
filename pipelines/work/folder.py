"""The work folder of a stage: one summary file for each finished unit.

A summary is written when all of the unit's outputs are in place, so its presence is what resume
and progress go by. The folder's name carries the run's fingerprint: work of other settings is
never taken for this run's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weighting.storage.files import read_json, write_json


@dataclass(frozen=True)
class Work:
    """RUN/units/FINGERPRINT: temporary files of stages, by stage and unit."""

    folder: Path

    def path(self, stage: str, uid: int, suffix: str) -> Path:
        """Return the path of a unit's temporary file; its folder exists."""
        parent = self.folder / stage
        parent.mkdir(parents=True, exist_ok=True)
        return parent / f"{uid:06d}{suffix}"

    def is_done(self, stage: str, uid: int) -> bool:
        """Say whether the unit finished this stage."""
        return self._summary(stage, uid).exists()

    def finish(self, stage: str, uid: int, summary: dict[str, Any]) -> None:
        """Record that the unit finished this stage, with its counts."""
        write_json(self._summary(stage, uid), summary)

    def read(self, stage: str, uid: int) -> dict[str, Any]:
        """Return the summary of a finished unit."""
        return dict(read_json(self._summary(stage, uid)))

    def summaries(self, stage: str) -> Iterator[dict[str, Any]]:
        """Yield the summaries of all finished units, by unit number."""
        for path in sorted((self.folder / stage).glob("*.done.json")):
            yield read_json(path)

    def list_done(self, stage: str) -> set[int]:
        """Return the units that finished this stage."""
        return {int(path.name[:6]) for path in (self.folder / stage).glob("*.done.json")}

    def _summary(self, stage: str, uid: int) -> Path:
        return self.folder / stage / f"{uid:06d}.done.json"
