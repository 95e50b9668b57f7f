"""Watching a local runner: it ends with the first failure or death of a worker, and leaves none.

Left alone, the runner tells of a failure when all other workers have finished their share, which
may be hours later, or never: a worker that waits for input from a closed channel waits for ever.
It offers no hook, so two of its methods are wrapped while a graph runs. They were read in
apache-beam BEAM_VERSION; another version is checked by `tests/pipelines/engine/test_watchdog.py`.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from apache_beam.runners.portability.fn_api_runner.fn_runner import BundleManager
from apache_beam.runners.portability.local_job_service import SubprocessSdkWorker

from pipelines.engine.failures import explain_failure, is_of_kernel

BEAM_VERSION = "2.77.0"  # in which the wrapped methods were read
POLL_SECONDS = 0.2
TICK_SHARE = 0.05  # of the time that ticks may take: they look at all units
GRACE_SECONDS = 5.0  # between the end of a worker and that of the runner, where both are well


@dataclass
class Watch:
    """What went wrong so far while a thread ran a graph."""

    failures: list[BaseException] = field(default_factory=list)  # of kernels or of the runner
    deaths: list[BaseException] = field(default_factory=list)  # of worker processes

    def explain(self) -> BaseException | None:
        """Return what to raise; None where all went well."""
        if not self.failures:
            return None
        return explain_failure(self.failures[0], self.deaths[0] if self.deaths else None)

    def wait(self, thread: threading.Thread, on_tick: Callable[[], None]) -> None:
        """Wait for the runner's thread, the first failure, or a death that the runner waits out."""
        deadline, next_tick = math.inf, 0.0
        while thread.is_alive() and not self.failures and time.monotonic() < deadline:
            if self.deaths:
                deadline = min(deadline, time.monotonic() + GRACE_SECONDS)
            if (start := time.monotonic()) >= next_tick:
                on_tick()
                next_tick = start + (time.monotonic() - start) / TICK_SHARE
            thread.join(POLL_SECONDS)
        on_tick()
        if self.failures and not is_of_kernel(self.failures[0]):  # is a worker gone?
            self._wait_for_death(thread)
        if thread.is_alive() and not self.failures:
            self.failures.extend(self.deaths)

    def _wait_for_death(self, thread: threading.Thread) -> None:
        deadline = time.monotonic() + GRACE_SECONDS
        while thread.is_alive() and not self.deaths and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)


@contextmanager
def watching() -> Iterator[Watch]:
    """Note what goes wrong in the runner's threads, as soon as it does."""
    watch = Watch()
    with (
        _noting(BundleManager, "process_bundle", watch.failures),
        _noting(SubprocessSdkWorker, "run", watch.deaths),
    ):
        yield watch


@contextmanager
def _noting(owner: Any, name: str, raised: list[BaseException]) -> Iterator[None]:  # noqa: ANN401
    """Note at once what a method raises."""
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
