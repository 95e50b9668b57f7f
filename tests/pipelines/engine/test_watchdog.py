"""The watchdog: what it wraps is still there, and nothing stays wrapped or slow."""

import inspect
import threading
import time

import apache_beam
import pytest
from apache_beam.runners.portability.fn_api_runner.fn_runner import BundleManager
from apache_beam.runners.portability.local_job_service import SubprocessSdkWorker

from pipelines.engine import watchdog
from pipelines.engine.failures import WorkerDied
from pipelines.engine.watchdog import BEAM_VERSION, watching


def test_the_wrapped_methods_were_read_in_the_version_at_hand():
    """Read both methods again for another version, and what FnApiRunner does when they raise."""
    assert apache_beam.__version__ == BEAM_VERSION
    bundle = inspect.signature(BundleManager.process_bundle)
    assert list(bundle.parameters)[:3] == ["self", "inputs", "expected_outputs"]
    assert list(inspect.signature(SubprocessSdkWorker.run).parameters) == ["self"]
    assert "return code" in inspect.getsource(SubprocessSdkWorker.run)


def test_methods_are_put_back_whatever_happens():
    before = (BundleManager.process_bundle, SubprocessSdkWorker.run)
    wrapped = []

    def fail():
        with watching():
            wrapped.append(BundleManager.process_bundle)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert wrapped[0] is not before[0]
    assert (BundleManager.process_bundle, SubprocessSdkWorker.run) == before


def test_what_a_method_raises_is_noted_at_once():
    with watching() as watch:
        with pytest.raises(AttributeError):
            SubprocessSdkWorker.run(None)  # type: ignore[arg-type]  # so that it raises at once
        assert len(watch.deaths) == 1
        assert watch.explain() is None


def sleep_for(seconds):
    thread = threading.Thread(target=time.sleep, args=(seconds,), daemon=True)
    thread.start()
    return thread


def test_a_death_that_the_runner_waits_out_ends_the_wait(monkeypatch):
    monkeypatch.setattr(watchdog, "GRACE_SECONDS", 0.3)
    with watching() as watch:
        watch.deaths.append(RuntimeError("exited with return code 1"))
        thread = sleep_for(30)
        watch.wait(thread, lambda: None)
        assert thread.is_alive()
        assert isinstance(watch.explain(), WorkerDied)


def test_slow_ticks_become_rare():
    ticks = []

    def tick():
        ticks.append(time.monotonic())
        time.sleep(0.1)

    with watching() as watch:
        watch.wait(sleep_for(1.0), tick)
    assert len(ticks) == 2  # at once, and when all is done: 0.1 s may be a twentieth of the time
