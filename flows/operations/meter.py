"""Measuring an attempt at a stage: seconds, memory and bytes, of this process and its workers.

What is known is on disk from the attempt's start on and brought up to date every few seconds, so
that one that was killed counts as well, less its last seconds. It is measured by a thread, because
not every stage has something that ticks.
"""

import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from flows.operations.log import describe_command
from flows.run.folder import Run
from pipelines.work.files import Step
from weighting.contracts.timings import STAGES, Attempt, StageTiming, Timings, tell_time
from weighting.errors import AssayError
from weighting.storage.json_records import read_record, write_record

SAMPLE_SECONDS = 1.0
SAVE_SECONDS = 5.0


class Meter:
    """What one attempt at a stage takes, as far as it has come."""

    def __init__(self, earlier: Sequence[Attempt], steps: Sequence[Step[Any]], path: Path) -> None:
        self._earlier, self._steps, self._path = list(earlier), steps, path
        self._time, self._began, self._memory = time.monotonic(), tell_time(), 0
        self._before = self._count()
        self._bytes_before = self._bytes = _measure_processes()[1]
        self.amounts: dict[str, int] = {}  # what the stage itself counted, for the log

    def sample(self) -> None:
        """Look at the processes once."""
        memory, moved = _measure_processes()
        self._memory = max(self._memory, memory)
        if moved is not None and self._bytes is not None:  # a worker that left takes its own away
            self._bytes = (max(moved[0], self._bytes[0]), max(moved[1], self._bytes[1]))

    def describe(self, finished: bool = False) -> Attempt:
        """Return the attempt as it is now."""
        read, written = None, None
        if self._bytes is not None and self._bytes_before is not None:
            read, written = (
                now - then for now, then in zip(self._bytes, self._bytes_before, strict=True)
            )
        now = self._count()
        return Attempt(
            began=self._began,
            seconds=round(time.monotonic() - self._time, 3),
            finished=finished,
            memory=self._memory,
            read=read,
            written=written,
            units={name: now[name] - self._before[name] for name in now},
        )

    def list_attempts(self, finished: bool = False) -> list[Attempt]:
        """Return earlier attempts and this one."""
        return [*self._earlier, self.describe(finished)]

    def save(self) -> None:
        """Write what is known of the attempts at the stage."""
        write_record(self._path, self.list_attempts())

    def _count(self) -> dict[str, int]:
        return {step.name: step.count_done() for step in self._steps}


@contextmanager
def measuring(run: Run, stage: str) -> Iterator[Meter]:
    """Measure an attempt at a stage; finished, the stage is recorded with all its attempts."""
    path = run.folder / "stages" / f"{stage}.attempts.json"
    meter = Meter(read_attempts(run, stage), run.job.work.list_steps(stage), path)
    meter.save()
    ended = threading.Event()
    thread = threading.Thread(target=_watch, args=(meter, ended), name="meter", daemon=True)
    thread.start()
    try:
        yield meter
    finally:
        ended.set()
        thread.join()
        meter.sample()
        with suppress(AssayError):  # of a disk that takes no more, of which the stage tells
            meter.save()
    run.finish(stage, StageTiming(meter.list_attempts(True), measure_folder(run.folder)))
    path.unlink()


def read_attempts(run: Run, stage: str) -> list[Attempt]:
    """Return the attempts at a stage that is not finished."""
    path = run.folder / "stages" / f"{stage}.attempts.json"
    return read_record(list[Attempt], path) if path.exists() else []


def collect_timings(run: Run, stage: str, meter: Meter) -> Timings:
    """Return what the run took so far; `meter` is that of the stage that is under way."""
    meter.sample()
    stages = {name: run.read_timing(name) for name in STAGES if run.is_done(name)}
    stages[stage] = StageTiming(meter.list_attempts(True), measure_folder(run.folder))
    began = [one.began for timing in stages.values() for one in timing.attempts]
    return Timings(
        began=min(began),
        ended=tell_time(),
        host=socket.gethostname(),
        command=describe_command(),
        text=sum(run.sizes().values()),
        stages=stages,
    )


def measure_folder(folder: Path) -> int:
    """Return the bytes of all files in a folder, linked ones once; one that goes counts nothing."""
    sizes: dict[tuple[int, int], int] = {}
    folders = [str(folder)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        found = entry.stat(follow_symlinks=False)
                        sizes[found.st_dev, found.st_ino] = found.st_size
        except FileNotFoundError:  # a file or folder that went meanwhile
            continue
    return sum(sizes.values())


def _watch(meter: Meter, ended: threading.Event) -> None:
    saved = time.monotonic()
    while not ended.wait(SAMPLE_SECONDS):
        meter.sample()
        if time.monotonic() - saved >= SAVE_SECONDS:
            with suppress(AssayError):  # as above
                meter.save()
            saved = time.monotonic()


def _measure_processes() -> tuple[int, tuple[int, int] | None]:
    """Return resident memory, and bytes read and written, of this process and those it started.

    Linux adds what a child moved to its parent's when the child has ended.
    """
    own = psutil.Process()
    memory, read, written, told = 0, 0, 0, False
    for process in (own, *own.children(recursive=True)):
        try:
            memory += process.memory_info().rss
            if hasattr(process, "io_counters"):
                moved = process.io_counters()
                read, written, told = read + moved.read_chars, written + moved.write_chars, True
        except psutil.Error:  # it ended meanwhile
            continue
    return memory, (read, written) if told else None
