"""The session of a command: where its stages run, and where they report."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from flows.operations.log import RunLog
from flows.run.folder import open_run
from pipelines.engine.progress import Progress, Tell
from pipelines.engine.runner import Engine

if TYPE_CHECKING:
    from trainer.display.progress import Steps

WORKERS_FROM = 50_000_000  # bytes of text from which starting worker processes pays


@dataclass(frozen=True)
class Session:
    """How stages run and where they report: Beam's engine, the console, the log of the command.

    `tell` takes lines of progress for another log, such as that of Prefect.
    """

    engine: Engine
    console: Console
    log: RunLog
    tell: Tell | None = None

    def follow(self) -> Progress:
        """Return the progress of a stage."""
        return Progress(self.console, tell=self.tell)

    def skip(self, stage: str) -> None:
        """Say that a stage is done already."""
        self.console.print(f"{stage:<10} finished before, skipped", style="dim")
        self.log.write("stage finished before", stage=stage)


def open_session(
    folder: Path | None = None,
    workers: int | None = None,
    console: Console | None = None,
    beam_args: Sequence[str] = (),
    log: RunLog | None = None,
    tell: Tell | None = None,
) -> Session:
    """Return a session. Without a number of workers, a large run takes one process a core.

    `folder` is a claimed run, where there is one already. Without a log, stages write to the
    folder's own, with no word of a command. `tell` takes lines of progress.
    """
    if workers is None:
        size = sum(open_run(folder).sizes().values()) if folder else 0
        workers = _count_cores() if size >= WORKERS_FROM else 1
    log = log or (RunLog(folder).open() if folder else RunLog(Path()))
    engine = Engine(workers, tuple(beam_args), folder)
    return Session(engine, console or Console(stderr=True), log, tell)


def telling_steps(show: "Steps", tell: Tell | None, label: str = "training") -> "Steps":
    """Return progress of training that `show` shows, and of which `tell` is told each tenth."""
    if tell is None:
        return show
    told = 0

    def both(done: int, total: int) -> None:
        nonlocal told
        show(done, total)
        if 10 * done // total > told:
            told = 10 * done // total
            tell(f"{label}: step {done:,} of {total:,}")

    return both


def _count_cores() -> int:
    from trainer.machine.resources import count_cores  # with torch, which small runs do without

    return count_cores()
