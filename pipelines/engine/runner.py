"""Running a Beam graph on one machine: the runner is chosen here, watched, and made to end.

Always `FnApiRunner`: `DirectRunner` picks its engine by whether the network answers, and
`DaskRunner` drops outputs and reports success. Worker processes are started by the runner, which
waits for ever when one of them dies; the watchdog ends such a run. Finished units are on disk, so
running again goes on from there.
"""

import importlib
import math
import os
import re
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import psutil
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions
from apache_beam.runners.portability.fn_api_runner.fn_runner import BundleManager, FnApiRunner
from apache_beam.runners.portability.local_job_service import SubprocessSdkWorker
from apache_beam.transforms.environments import SubprocessSDKEnvironment

from weighting.errors import AssayError
from weighting.storage.failures import AGAIN, explain

WORKER_MODULE = "pipelines.engine.worker"
POLL_SECONDS = 0.2
GRACE_SECONDS = 5.0  # between the end of a worker and that of the runner, where both are well
REFUSED = {
    "DaskRunner": "it loses data and reports success",
    "DirectRunner": "its engine depends on whether the network answers",
}
TRACEBACK = "Traceback (most recent call last):\n"
STEP = re.compile(r" \[while running '[^']*'\]\s*$")
NAMED = re.compile(r"(?P<name>[A-Za-z_][\w.]*)(?:: (?P<message>.*))?", re.DOTALL)
CODE = re.compile(r"return code (?P<code>-?\d+)")
ERRNO = re.compile(r"\[Errno (?P<errno>\d+)\] (?P<reason>[^:\n]*)(?:: '(?P<path>.*)')?")


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
        # trap: Ctrl-C goes to all processes of a terminal, and this one is to stop the others.
        command = f"trap '' INT; exec {shlex.quote(sys.executable)} -m {WORKER_MODULE}"
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
    failures: list[BaseException] = []
    deaths: list[BaseException] = []

    def work() -> None:
        try:
            with beam.Pipeline(runner, options) as pipeline:
                build(pipeline)
        except BaseException as error:
            failures.append(error)

    before = {child.pid for child in _children()}
    thread = threading.Thread(target=work, name="beam", daemon=True)
    with (
        _noting(BundleManager, "process_bundle", failures),
        _noting(SubprocessSdkWorker, "run", deaths),
    ):
        try:
            thread.start()
            _watch(thread, failures, deaths, on_tick)
            if failures:
                raise _explain(failures[0], deaths)
        except BaseException:
            stop_workers(before)
            raise


@contextmanager
def _noting(owner: Any, name: str, raised: list[BaseException]) -> Iterator[None]:  # noqa: ANN401
    """Note at once what a method of the runner raises.

    The runner itself tells of a failure when all other workers have finished their share, which may
    be hours later, or never: a worker that waits for input from a closed channel waits for ever.
    """
    method = getattr(owner, name)

    def noted(*args: object, **kwargs: object) -> object:
        try:
            return method(*args, **kwargs)
        except BaseException as error:
            raised.append(error)
            raise

    setattr(owner, name, noted)
    try:
        yield
    finally:
        setattr(owner, name, method)


def _watch(
    thread: threading.Thread,
    failures: list[BaseException],
    deaths: list[BaseException],
    on_tick: Callable[[], None],
) -> None:
    """Wait for the runner's thread, the first failure, or a death that the runner waits out."""
    deadline = math.inf
    while thread.is_alive() and not failures and time.monotonic() < deadline:
        if deaths:
            deadline = min(deadline, time.monotonic() + GRACE_SECONDS)
        on_tick()
        thread.join(POLL_SECONDS)
    on_tick()
    if failures and TRACEBACK not in str(failures[0]):  # no worker's words: is one gone?
        deadline = time.monotonic() + GRACE_SECONDS
        while thread.is_alive() and not deaths and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
    if thread.is_alive() and not failures:
        failures.extend(deaths)


def _explain(failure: BaseException, deaths: list[BaseException]) -> BaseException:
    """Return what to raise for a failure of the run."""
    if deaths and TRACEBACK not in str(failure):
        told = CODE.search(str(deaths[0]))
        code = int(told["code"]) if told else 0
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"left ({deaths[0]})"
        memory = ", perhaps for want of memory" if code == -signal.SIGKILL else ""
        return WorkerDied(f"a worker process {how}{memory}; {AGAIN}")
    return explain(find_cause(failure)) or failure


def find_cause(error: BaseException) -> BaseException:
    """Return what a kernel raised, made again from what Beam tells of it, where that can be told.

    Beam adds the step to the message, makes a RuntimeError of what it cannot rebuild, and hands
    on what worker processes raise as the text of a traceback.
    """
    text = str(error).rpartition(TRACEBACK)[2]
    if text == str(error):
        kind = type(error)
        text = f"{kind.__module__}.{kind.__qualname__}: {text}"
    frames_end = re.match(r"(?:  .*\n)*", text)
    text = STEP.sub("", text[frames_end.end() if frames_end else 0 :].strip())
    text = text.removeprefix("builtins.").removeprefix("RuntimeError: ")
    named = NAMED.fullmatch(text)
    return (_make_again(named["name"], named["message"] or "") if named else None) or error


def _make_again(name: str, message: str) -> BaseException | None:
    """Return an exception of a class, None where the class is not known here."""
    module, _, kind_name = name.rpartition(".")
    try:
        kind = getattr(importlib.import_module(module or "builtins"), kind_name, None)
    except ImportError:
        return None
    if not (isinstance(kind, type) and issubclass(kind, BaseException)):
        return None
    told = ERRNO.match(message)
    if told and issubclass(kind, OSError):
        return OSError(int(told["errno"]), told["reason"], told["path"])
    if issubclass(kind, MemoryError):
        return MemoryError(message)
    return kind.__new__(kind, message)  # whatever its own arguments are


def _children() -> list[psutil.Process]:
    return list(psutil.Process().children(recursive=True))


def stop_workers(before: Collection[int] = ()) -> None:
    """End all processes started since, besides those of `before`: a dead run leaves no orphans."""
    started = [process for process in _children() if process.pid not in before]
    for process in started:
        try:
            process.terminate()
        except psutil.Error:
            continue
    _, stubborn = psutil.wait_procs(started, timeout=3)
    for process in stubborn:
        process.kill()
