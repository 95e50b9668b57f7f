"""Running a Beam graph on one machine: the runner is chosen here, watched, and made to end.

Always `FnApiRunner`: `DirectRunner` picks its engine by whether the network answers, and
`DaskRunner` drops outputs and reports success. Worker processes are started by the runner, which
waits for ever when one of them dies; the watchdog ends such a run. Finished units are on disk, so
running again goes on from there.
"""

import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import apache_beam as beam
import psutil
from apache_beam.options.pipeline_options import PipelineOptions

from weighting.errors import AssayError

POLL_SECONDS = 0.2
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
        given = PipelineOptions(list(self.beam_args)).get_all_options(drop_default=True)
        runner = given.get("runner")
        if runner in REFUSED:
            raise AssayError(f"runner {runner} is refused: {REFUSED[runner]}; use FnApiRunner")
        local = [] if runner else ["--runner=FnApiRunner"]
        if not runner and self.workers > 1:
            local += ["--direct_running_mode=multi_processing"]
            local += [f"--direct_num_workers={self.workers}"]
        quiet = ["--default_sdk_harness_log_level=WARNING"]
        return PipelineOptions([*quiet, *local, *self.beam_args])


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
    logging.getLogger("apache_beam").setLevel(logging.ERROR)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false" if engine.workers > 1 else "true")
    options = engine.options()
    failure: list[BaseException] = []

    def work() -> None:
        try:
            with beam.Pipeline(options=options) as pipeline:
                build(pipeline)
        except BaseException as error:
            failure.append(error)

    before = {child.pid for child in _children()}
    thread = threading.Thread(target=work, name="beam", daemon=True)
    thread.start()
    try:
        _watch(thread, before, on_tick)
    except BaseException:
        _stop_workers(before)
        raise
    if failure:
        _stop_workers(before)
        raise failure[0]


def _watch(thread: threading.Thread, before: set[int], on_tick: Callable[[], None]) -> None:
    workers: dict[int, psutil.Process] = {}
    while thread.is_alive():
        on_tick()
        workers |= {p.pid: p for p in _children() if p.pid not in before and _is_worker(p)}
        gone = [pid for pid, process in workers.items() if not _is_alive(process)]
        if gone:
            thread.join(GRACE_SECONDS)
            if thread.is_alive():
                raise WorkerDied(
                    f"worker process {gone[0]} died (out of memory, or killed); finished units are "
                    "kept: run the same command again to go on"
                )
        thread.join(POLL_SECONDS)
    on_tick()


def _children() -> list[psutil.Process]:
    return list(psutil.Process().children(recursive=True))


def _is_worker(process: psutil.Process) -> bool:
    try:
        return any("sdk_worker_main" in word for word in process.cmdline())
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
