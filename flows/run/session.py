"""The session of a command: where its stages run, and where they report."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from flows.operations.log import RunLog
from flows.run.folder import open_run
from pipelines.engine.runner import Engine

WORKERS_FROM = 50_000_000  # bytes of text from which starting worker processes pays


@dataclass(frozen=True)
class Session:
    """How stages run and where they report: Beam's engine, the console, the log of the command."""

    engine: Engine
    console: Console
    log: RunLog

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
) -> Session:
    """Return a session. Without a number of workers, a large run takes one process a core.

    `folder` is a claimed run, where there is one already. Without a log, stages write to the
    folder's own, with no word of a command.
    """
    if workers is None:
        size = sum(open_run(folder).sizes().values()) if folder else 0
        workers = _count_cores() if size >= WORKERS_FROM else 1
    log = log or (RunLog(folder).open() if folder else RunLog(Path()))
    engine = Engine(workers, tuple(beam_args), folder)
    return Session(engine, console or Console(stderr=True), log)


def _count_cores() -> int:
    from trainer.machine.resources import count_cores  # with torch, which small runs do without

    return count_cores()
