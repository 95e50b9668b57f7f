"""What a run took: when, where, and for each stage seconds, memory and bytes of every attempt.

Of two equal runs these differ, and nothing else in a manifest does. So they stand apart from the
counts, and equality of manifests leaves them out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

STAGES = ("curate", "tokenizer", "tokenize", "reference", "score", "weigh", "verify")  # in order


@dataclass(frozen=True)
class Attempt:
    """What one command did on a stage, until it finished it or was stopped.

    `memory` is the highest sum of the resident memory of the process and those it started; `read`
    and `written` are bytes that went through system calls, so not those of mapped files; None where
    the system does not tell. All are sampled, so a short peak may be missed. `units` are the
    units that were finished, by step; stages without units have none.
    """

    began: str  # UTC, ISO 8601
    seconds: float
    finished: bool
    memory: int = 0
    read: int | None = None
    written: int | None = None
    units: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class StageTiming:
    """All attempts at a stage, oldest first, and the bytes of the run folder when it ended."""

    attempts: list[Attempt] = field(default_factory=list)
    disk: int = 0

    @property
    def seconds(self) -> float:
        """Seconds of all attempts."""
        return sum(attempt.seconds for attempt in self.attempts)

    @property
    def memory(self) -> int:
        """The highest memory of any attempt."""
        return max((attempt.memory for attempt in self.attempts), default=0)

    @property
    def read(self) -> int | None:
        """Bytes read by all attempts; None where the system does not tell."""
        return _add([attempt.read for attempt in self.attempts])

    @property
    def written(self) -> int | None:
        """Bytes written by all attempts; None where the system does not tell."""
        return _add([attempt.written for attempt in self.attempts])


@dataclass(frozen=True)
class Timings:
    """When and where a run was made, by which command, and what its stages took.

    `command` and `host` are those that finished it; `text` is the estimated bytes of text in its
    inputs, by which the rates of stages are told.
    """

    began: str = ""
    ended: str = ""
    host: str = ""
    command: list[str] = field(default_factory=list)
    text: int = 0
    stages: Mapping[str, StageTiming] = field(default_factory=dict)

    def list_stages(self) -> list[tuple[str, StageTiming]]:
        """Return the stages with what they took, in the order in which they ran."""
        return [(name, self.stages[name]) for name in STAGES if name in self.stages]


def tell_time() -> str:
    """Return the time now, UTC, as ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _add(numbers: list[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None
