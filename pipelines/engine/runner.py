"""Running a Beam graph: the runner is chosen here, watched, and made to end.

On this machine it is always `FnApiRunner`: `DirectRunner` picks its engine by whether the network
answers, and `DaskRunner` drops outputs and reports success. Worker processes are started by the
runner, which waits for ever when one of them dies; `pipelines.engine.watchdog` ends such a run.
Finished units are on disk, so running again goes on from there.

Another runner hands the graph to a job service. What ends a run early then cancels the job, and
takes back the permit without which no worker begins a unit (`pipelines.engine.permit`).
"""

import logging
import os
import shlex
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import apache_beam as beam
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions
from apache_beam.pipeline import AppliedPTransform, PipelineVisitor
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from apache_beam.transforms.environments import SubprocessSDKEnvironment

from pipelines.engine import permit
from pipelines.engine.job_service import ServiceLost, Submission, explain_loss, find_endpoint
from pipelines.engine.processes import ENDING, list_children, stop_workers
from pipelines.engine.watchdog import Watch, watching
from weighting.processes.launch import list_command

Build: TypeAlias = Callable[[beam.Pipeline], object]
Hook: TypeAlias = Callable[[], None]  # called a few times a second

WORKER_MODULE = "pipelines.engine.worker"

LOOPBACK = ("localhost", "127.0.0.1", "::1")
SPARED = "no_grpc_proxy"  # gRPC reads it in small letters

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Engine:
    """How to run: worker processes, or other Beam options (a portable runner, for instance).

    One worker means this process. `beam_args` go to Beam as they are; where they name a job
    service, its workers need a permit, which lies in the run folder, `folder`.
    """

    workers: int = 1
    beam_args: Sequence[str] = ()
    folder: Path | None = None

    def options(self) -> PipelineOptions:
        """Return Beam's options."""
        options = PipelineOptions(list(self.beam_args))
        if self.endpoint() is None:
            options.view_as(DirectOptions).direct_num_workers = self.workers
        return options

    def endpoint(self) -> str | None:
        """Return the address of the job service that `beam_args` name; None of the local runner.

        Raises:
            AssayError: there is no runner of that name, or it cannot be trusted with data.
        """
        return find_endpoint(self.beam_args)

    def runner(self) -> FnApiRunner | None:
        """Return the local runner, or None where `beam_args` name another one."""
        if self.endpoint() is not None:
            return None
        if self.workers == 1:
            return FnApiRunner()
        # exec: no shell between the runner and the worker, so each sees when the other ends.
        # trap: Ctrl-C goes to all processes of a terminal, and this one is to stop the others.
        command = f"trap '' INT; exec {shlex.join(list_command(WORKER_MODULE))}"
        return FnApiRunner(SubprocessSDKEnvironment.from_command_string(command))


def run(
    engine: Engine,
    build: Build,
    on_tick: Hook = lambda: None,
) -> None:
    """Build and run a graph; call `on_tick` in this thread a few times a second meanwhile.

    Raises:
        WorkerDied: a worker process ended early.
        ServiceLost: the job service went away.
        AssayError: a kernel raised it, or met a full disk or the end of memory.
        Exception: whatever else a kernel raised, as Beam reports it.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false" if engine.workers > 1 else "true")
    if engine.folder is not None and not permit.take_back(engine.folder):
        raise permit.refuse(engine.folder)
    if (endpoint := engine.endpoint()) is None:
        _run_here(engine, build, on_tick)
    else:
        _run_elsewhere(engine, endpoint, build, on_tick)


def spare_proxy() -> None:
    """Let gRPC reach workers on this machine without a proxy that the environment may name.

    It would ask the proxy for `localhost`, and wait for ever. The variable is gRPC's own, so that
    inputs and hubs are still reached through the proxy; where it is set, `no_proxy` counts no more.
    """
    spared = os.environ.get(SPARED) or os.environ.get("no_proxy")
    names = [*(spared.split(",") if spared else ()), *LOOPBACK]
    os.environ[SPARED] = ",".join(dict.fromkeys(names))


def _run_here(engine: Engine, build: Build, on_tick: Hook) -> None:
    spare_proxy()
    before = {child.pid for child in list_children()}
    with watching() as watch:
        try:
            _watch(watch, partial(_execute, engine, build, Submission()), on_tick)
        except BaseException:
            stop_workers(before)
            raise


def _run_elsewhere(
    engine: Engine,
    endpoint: str,
    build: Build,
    on_tick: Hook,
) -> None:
    job = Submission()
    with watching() as watch:
        try:
            _watch(watch, partial(_execute, engine, build, job), on_tick)
        except BaseException as error:
            told = explain_loss(error, endpoint)
            _end(job, engine.folder, "" if isinstance(told, ServiceLost) else endpoint)
            raise told from None
    if engine.folder is not None:
        permit.take_back(engine.folder)


def _execute(engine: Engine, build: Build, submission: Submission) -> None:
    pipeline = beam.Pipeline(engine.runner(), engine.options())
    build(pipeline)
    if engine.folder is not None and engine.endpoint() is not None:
        pipeline.visit(_Permits(permit.issue(engine.folder)))
    result = pipeline.run()
    submission.submitted(result)
    result.wait_until_finish()


def _watch(watch: Watch, work: Callable[[], None], on_tick: Hook) -> None:
    """Do the work in a thread, and raise what ends it early."""

    def noting() -> None:
        try:
            work()
        except BaseException as error:
            watch.failures.append(error)

    thread = threading.Thread(target=noting, name="beam", daemon=True)
    thread.start()
    watch.wait(thread, on_tick)
    if error := watch.explain():
        raise error


def _end(job: Submission, folder: Path | None, endpoint: str) -> None:
    """Cancel a job, where its service is there, and wait for the units that its workers began."""
    ENDING.set()
    try:
        cancelled = not endpoint or job.cancel()
        ended = folder is None or permit.take_back(folder)
        if not ended:
            log.warning("%s: workers are still ending a unit; wait before you run again", folder)
        elif not cancelled:
            log.warning("the job service at %s does not say that the job is cancelled", endpoint)
    finally:
        ENDING.clear()


class _Permits(PipelineVisitor):
    """Hands a permit to every step that asks for one."""

    def __init__(self, given: permit.Permit) -> None:
        self._given = given

    def visit_transform(self, node: AppliedPTransform) -> None:
        step = getattr(node.transform, "fn", None)
        if step is not None and hasattr(step, "permit"):
            step.permit = self._given
