"""Running a Beam graph on one machine: the runner is chosen here, watched, and made to end.

Always `FnApiRunner`: `DirectRunner` picks its engine by whether the network answers, and
`DaskRunner` drops outputs and reports success. Worker processes are started by the runner, which
waits for ever when one of them dies; the watchdog ends such a run. Finished units are on disk, so
running again goes on from there.
"""

import os
import shlex
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import apache_beam as beam
import psutil
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from apache_beam.transforms.environments import SubprocessSDKEnvironment

from weighting.errors import AssayError

WORKER_MODULE = "pipelines.worker"
POLL_SECONDS = 0.2
START_SECONDS = 60.0  # for worker processes to appear
GRACE_SECONDS = 10.0  # for the runner to finish after its workers went away as they should
REFUSED = {
    "DaskRunner": "it loses data and reports success",
    "DirectRunner": "its engine depends on whether the network answers",
}


class WorkerDied(AssayError):
    """A worker process ended before the job did; finished units are kept."""

    exit_code = 1


@dataclass(frozen=True)
class Engine:
    """How to run: worker processes, or other Beam options (a portable runner, for instance).

    One worker means this process. `beam_args` go to Beam as they are.
    """

    workers: int = 1
    beam_args: Sequence[str] = ()

    def options(self) -> PipelineOptions:
        """Return Beam's options.

        Raises:
            AssayError: `beam_args` name a runner that cannot be trusted with data.
        """
        options = PipelineOptions(list(self.beam_args))
        runner = options.get_all_options(drop_default=True).get("runner")
        if runner in REFUSED:
            raise AssayError(f"runner {runner} is refused: {REFUSED[runner]}; use FnApiRunner")
        if runner is None:
            options.view_as(DirectOptions).direct_num_workers = self.workers
        return options

    def runner(self) -> FnApiRunner | None:
        """Return the local runner, or None where `beam_args` name another one."""
        if self.options().get_all_options(drop_default=True).get("runner"):
            return None
        if self.workers == 1:
            return FnApiRunner()
        # exec: no shell between the runner and the worker, so each sees when the other ends.
        command = f"exec {shlex.quote(sys.executable)} -m {WORKER_MODULE}"
        return FnApiRunner(SubprocessSDKEnvironment.from_command_string(command))


def run(
    engine: Engine,
    build: Callable[[beam.Pipeline], None],
    on_tick: Callable[[], None] = lambda: None,
) -> None:
    """Build and run a graph; call `on_tick` in this thread a few times a second meanwhile.

    Raises:
        WorkerDied: a worker process ended early.
        Exception: whatever a kernel raised, as Beam reports it.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false" if engine.workers > 1 else "true")
    options, runner = engine.options(), engine.runner()
    failure: list[BaseException] = []

    def work() -> None:
        try:
            with beam.Pipeline(runner, options) as pipeline:
                build(pipeline)
        except BaseException as error:
            failure.append(error)

    before = {child.pid for child in _children()}
    thread = threading.Thread(target=work, name="beam", daemon=True)
    thread.start()
    try:
        expected = engine.workers if engine.workers > 1 and runner is not None else 0
        _watch(thread, before, expected, on_tick)
    except BaseException:
        _stop_workers(before)
        raise
    if failure:
        _stop_workers(before)
        raise failure[0]


def _watch(
    thread: threading.Thread, before: set[int], expected: int, on_tick: Callable[[], None]
) -> None:
    """Wait for the runner's thread; raise WorkerDied when it waits for a worker that is gone."""
    workers: dict[int, psutil.Process] = {}
    started = time.monotonic()
    while thread.is_alive():
        workers |= {p.pid: p for p in _children() if p.pid not in before and _is_worker(p)}
        gone = [f"process {pid}" for pid, process in workers.items() if not _is_alive(process)]
        if len(workers) < expected and time.monotonic() - started > START_SECONDS:
            gone.append("process that never started")
        if gone:
            thread.join(GRACE_SECONDS)
            if thread.is_alive():
                raise WorkerDied(
                    f"worker {gone[0]} died (out of memory, or killed); finished units are kept: "
                    "run the same command again to go on"
                )
        on_tick()
        thread.join(POLL_SECONDS)
    on_tick()


def _children() -> list[psutil.Process]:
    return list(psutil.Process().children(recursive=True))


def _is_worker(process: psutil.Process) -> bool:
    try:
        return any(WORKER_MODULE in word for word in process.cmdline())
    except psutil.Error:
        return False


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _stop_workers(before: set[int]) -> None:
    """End the processes that this run started: a dead run must leave no orphans."""
    started = [process for process in _children() if process.pid not in before]
    for process in started:
        try:
            process.terminate()
        except psutil.Error:
            continue
    _, stubborn = psutil.wait_procs(started, timeout=3)
    for process in stubborn:
        process.kill()
