"""Where a run stands that is not finished: which stages are done, how far the next one has come.

The run folder itself is asked, so the answer is right after a kill as well; its lock says whether
somebody works there now, and its log how the last command ended.
"""

from dataclasses import dataclass
from pathlib import Path

from weighting.contracts.manifest import MANIFEST_NAME, Manifest, read_manifest
from weighting.contracts.timings import STAGES
from weighting.errors import AssayError
from weighting.storage.lock import find_holder

AGAIN = "run the same command again to go on"


@dataclass(frozen=True)
class Standing:
    """What is done of a run: `stage` is the first that is not, of whose step units are finished."""

    done: list[str]
    stage: str
    step: str | None
    units: int
    of_units: int
    holder: str | None  # who works in the folder now
    ending: str | None  # how the last command ended, if the log knows

    def __str__(self) -> str:
        parts = [f"{_join(self.done)} done"] if self.done else []
        where = f"in stage {self.stage}"
        if self.step is not None:
            name = "" if self.step == self.stage else f"{self.step}: "
            where += f" ({name}{self.units} of {self.of_units} units)"
        told = f"unfinished: {', '.join([*parts, where])}"
        if self.holder:
            return f"{told}; {self.holder} is at work on it"
        ending = f"; its last command {self.ending}" if self.ending else ""
        return f"{told}{ending}; {AGAIN}"


class UnfinishedRun(AssayError):
    """A run that is needed whole is not finished; the message says where it stands.

    `standing` says so to programs; None where a replay was stopped on its way.
    """

    def __init__(self, run: Path, standing: Standing | None) -> None:
        stopped = "unfinished: a replay was stopped on its way; run assay replay again to go on"
        super().__init__(f"{run}: {standing or stopped}")
        self.standing = standing


def require_finished(run: Path) -> Manifest:
    """Return the manifest of a finished run.

    Raises:
        UnfinishedRun: it is not finished.
        AssayError: no run is there, or it is of another version of assay.
    """
    path = run / MANIFEST_NAME
    if not path.exists():
        if (run / ".replay" / "moving").exists():
            raise UnfinishedRun(run, None)
        if standing := find_standing(run):
            raise UnfinishedRun(run, standing)
    if not path.exists():  # it may have finished just now
        raise AssayError(
            f"{path}: missing, though every stage is finished; restore it, or curate again with "
            "--overwrite"
        )
    return read_manifest(run)


def find_standing(folder: Path) -> Standing | None:
    """Return where a run stands that is not finished; None if every stage is.

    Raises:
        AssayError: no run is there, or it is of another version of assay.
    """
    from flows.operations.log import read_last_command
    from flows.run.folder import open_run  # slow to import; most runs are finished

    run = open_run(folder)
    done = [stage for stage in STAGES if run.is_done(stage)]
    skipped = () if run.recipe.reference.train else ("reference",)
    missing = [stage for stage in STAGES if stage not in done and stage not in skipped]
    if not missing:
        return None
    stage = missing[0]
    counts = {step.name: step.count_done() for step in run.job.work.list_steps(stage)}
    reached = [name for name, count in counts.items() if count] or list(counts)[:1]
    step = reached[-1] if reached else None
    holder = find_holder(folder)
    return Standing(
        done=done,
        stage=stage,
        step=step,
        units=counts[step] if step else 0,
        of_units=len(run.claim.units),
        holder=str(holder) if holder else None,
        ending=_describe_ending(read_last_command(folder)),
    )


def _describe_ending(lines: list[dict[str, str]]) -> str | None:
    """Return how a command ended that left these lines; None where they do not tell."""
    if not lines:
        return None
    last = lines[-1]
    if last["event"] == "failed":
        return f"failed: {last['error']}"
    if last["event"] == "interrupted":
        return "was interrupted"
    return None if last["event"] == "command finished" else f"was killed after {last['time']}"


def _join(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
