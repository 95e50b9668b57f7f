"""Running a Beam graph on one machine: the runner is chosen here, watched, and made to end.

Always `FnApiRunner`: `DirectRunner` picks its engine by whether the network answers, and
`DaskRunner` drops outputs and reports success. Worker processes are started by the runner, which
waits for ever when one of them dies; `pipelines.engine.watchdog` ends such a run. Finished units
are on disk, so running again goes on from there.
"""

import os
import shlex
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import apache_beam as beam
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from apache_beam.transforms.environments import SubprocessSDKEnvironment

from pipelines.engine.processes import list_children, stop_workers
from pipelines.engine.watchdog import watching
from weighting.errors import AssayError
from weighting.launch import list_command

WORKER_MODULE = "pipelines.engine.worker"
REFUSED = {
    "DaskRunner": "it loses data and reports success",
    "DirectRunner": "its engine depends on whether the network answers",
}


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
        # trap: Ctrl-C goes to all processes of a terminal, and this one is to stop the others.
        command = f"trap '' INT; exec {shlex.join(list_command(WORKER_MODULE))}"
        return FnApiRunner(SubprocessSDKEnvironment.from_command_string(command))


def run(
    engine: Engine,
    build: Callable[[beam.Pipeline], object],
    on_tick: Callable[[], None] = lambda: None,
) -> None:
    """Build and run a graph; call `on_tick` in this thread a few times a second meanwhile.

    Raises:
        WorkerDied: a worker process ended early.
        AssayError: a kernel raised it, or met a full disk or the end of memory.
        Exception: whatever else a kernel raised, as Beam reports it.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false" if engine.workers > 1 else "true")
    options, runner = engine.options(), engine.runner()
    before = {child.pid for child in list_children()}
    with watching() as watch:

        def work() -> None:
            try:
                with beam.Pipeline(runner, options) as pipeline:
                    build(pipeline)
            except BaseException as error:
                watch.failures.append(error)

        thread = threading.Thread(target=work, name="beam", daemon=True)
        try:
            thread.start()
            watch.wait(thread, on_tick)
            if error := watch.explain():
                raise error
        except BaseException:
            stop_workers(before)
            raise
