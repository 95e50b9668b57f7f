"""What the jobs need to know, as frozen dataclasses that travel to the workers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.records import Fields
from pipelines.rules.bounds import Bounds
from pipelines.work import Work
from weighting.policies import PolicyParams


@dataclass(frozen=True)
class CurateSettings:
    """Reading, cleaning and deduplication. `bounds` names the rules that drop."""

    fields: Fields = field(default_factory=Fields)
    repair: bool = True
    bounds: Mapping[str, Bounds] = field(default_factory=dict)
    dedupe: bool = True


@dataclass(frozen=True)
class WeighSettings:
    """Tokenizing, splitting and weighing."""

    validation_share: float = 0.02
    policy: str = "soft"
    params: PolicyParams = field(default_factory=PolicyParams)
    sidecar: bool = True


@dataclass(frozen=True)
class Job:
    """Where a run lives and where its stages keep their temporary files."""

    run: Path
    work: Work

    def output(self, folder: str, uid: int, suffix: str) -> Path:
        """Return the path of a unit's output file in RUN/folder."""
        return self.run / folder / f"{uid:06d}{suffix}"
