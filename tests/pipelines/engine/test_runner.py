"""The engine: which runners are refused, how failures and deaths of workers end a run."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time

import apache_beam as beam
import numpy as np
import psutil
import pytest

from pipelines.engine import runner, watchdog
from pipelines.engine.failures import WorkerDied
from pipelines.engine.runner import SPARED, Engine, run, spare_proxy
from tests.pipelines.jobs import read_bytes, run_jobs
from weighting.errors import AssayError, BrokenContract
from weighting.storage.failures import CannotWrite, OutOfMemory


@pytest.mark.parametrize("runner", ["DaskRunner", "DirectRunner"])
def test_runners_that_lose_data_are_refused_by_name(runner):
    with pytest.raises(AssayError, match=f"{runner} is refused"):
        run(Engine(beam_args=[f"--runner={runner}"]), lambda pipeline: None)


FAILURES = {
    "contract": BrokenContract("a.arrow: [broken]\n  in two lines: yes"),
    "disk": OSError(errno.ENOSPC, "No space left on device", "/run/a.arrow"),
    "bug": ValueError("this unit is broken"),
}


def fail(kind):
    if isinstance(kind, int):
        return time.sleep(kind)
    if kind == "memory":
        return np.empty(2**58, np.uint8)
    raise FAILURES[kind]


TOLD = [
    ("contract", BrokenContract, r"^a\.arrow: \[broken\]\n  in two lines: yes$"),
    ("disk", CannotWrite, r"^/run/a\.arrow: cannot be written \(No space left on device\)"),
    ("memory", OutOfMemory, r"^out of memory \(Unable to allocate 256"),
    ("bug", Exception, r"this unit is broken"),
]


@pytest.mark.parametrize(("kind", "error", "message"), TOLD)
def test_what_a_kernel_raises_reaches_the_caller(kind, error, message):
    def build(pipeline):
        _ = pipeline | beam.Create([kind]) | beam.Map(fail)

    with pytest.raises(error, match=message):
        run(Engine(), build)


@pytest.mark.slow
@pytest.mark.workers
@pytest.mark.timeout(50)
def test_it_does_so_before_the_other_workers_are_done():
    """The other worker sleeps for longer than this test may take."""
    kind, error, message = TOLD[0]

    def build(pipeline):
        _ = pipeline | beam.Create([100, kind]) | beam.Map(fail)

    with pytest.raises(error, match=message):
        run(Engine(workers=2), build)
    assert not psutil.Process().children(recursive=True)


def sleep(seconds):
    time.sleep(seconds)
    return seconds


def test_ticks_come_in_the_callers_thread_while_it_runs():
    threads = []

    def build(pipeline):
        _ = pipeline | beam.Create([0.5]) | beam.Map(sleep)

    run(Engine(), build, lambda: threads.append(threading.current_thread()))
    assert len(threads) >= 2
    assert set(threads) == {threading.current_thread()}


def find_workers(process):
    return [p for p in process.children(recursive=True) if "pipelines.engine.worker" in p.cmdline()]


@pytest.mark.workers
@pytest.mark.timeout(90)
@pytest.mark.parametrize("kills", [1, 2])
def test_killed_workers_end_the_run_and_leave_no_process(kills):
    killed = []

    def build(pipeline):
        _ = pipeline | beam.Create([100, 100]) | beam.Map(sleep)

    def kill_some():
        workers = find_workers(psutil.Process())
        if len(workers) == 2 and not killed:
            killed.extend(workers)
            for worker in workers[:kills]:
                os.kill(worker.pid, signal.SIGKILL)

    with pytest.raises(WorkerDied, match=r"by SIGKILL, perhaps .* run the same command again"):
        run(Engine(workers=2), build, kill_some)
    assert len(killed) == 2
    assert not any(process.is_running() for process in killed)


@pytest.mark.workers
@pytest.mark.timeout(90)
def test_a_worker_that_cannot_start_ends_the_run(monkeypatch):
    monkeypatch.setattr(watchdog, "GRACE_SECONDS", 1.0)
    monkeypatch.setattr(runner, "WORKER_MODULE", "pipelines.nowhere")

    def build(pipeline):
        _ = pipeline | beam.Create([100, 100]) | beam.Map(sleep)

    with pytest.raises(WorkerDied, match="return code 1"):
        run(Engine(workers=2), build)


SLEEPER = """
import apache_beam as beam
from pipelines.engine.runner import Engine, run
from tests.pipelines.engine.test_runner import sleep
def build(pipeline):
    pipeline | beam.Create([60, 60]) | beam.Map(sleep)
run(Engine(workers=2), build)
"""


@pytest.mark.workers
def test_workers_leave_when_the_run_is_killed():
    driver = subprocess.Popen([sys.executable, "-c", SLEEPER], stderr=subprocess.DEVNULL)
    process = psutil.Process(driver.pid)
    workers = []
    while len(workers) < 2:
        assert driver.poll() is None
        workers = find_workers(process)
        time.sleep(0.1)
    time.sleep(1)
    driver.kill()
    driver.wait()
    _gone, alive = psutil.wait_procs(workers, timeout=20)
    assert not alive


@pytest.mark.slow
@pytest.mark.workers
def test_the_portable_runner_gives_the_same_bytes(make_corpus, tmp_path):
    """Beam's own job service takes the graph through protocol buffers, as Flink's would."""
    corpus = make_corpus(tmp_path / "corpus", documents=20)
    command = [
        sys.executable, "-m", "apache_beam.runners.portability.local_job_service_main",
        "--port", "0", "--port_file", str(tmp_path / "port"), "--pid_file", str(tmp_path / "pid"),
    ]  # fmt: skip
    service = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not (tmp_path / "port").exists() or not (tmp_path / "port").read_text().strip():
            assert service.poll() is None
            time.sleep(0.1)
        port = (tmp_path / "port").read_text().strip()
        options = [
            "--runner=PortableRunner", f"--job_endpoint=127.0.0.1:{port}",
            "--environment_type=LOOPBACK",
        ]  # fmt: skip
        run_jobs(corpus, tmp_path / "portable", Engine(beam_args=options))
    finally:
        service.kill()
        service.wait()
    run_jobs(corpus, tmp_path / "local")
    assert read_bytes(tmp_path / "portable") == read_bytes(tmp_path / "local")


@pytest.mark.parametrize(
    ("given", "spared"),
    [
        ({}, "localhost,127.0.0.1,::1"),
        ({"no_proxy": "intern,localhost"}, "intern,localhost,127.0.0.1,::1"),
        ({"no_proxy": "a", "no_grpc_proxy": "b"}, "b,localhost,127.0.0.1,::1"),
    ],
)
def test_workers_on_this_machine_are_reached_without_a_proxy(monkeypatch, given, spared):
    for name in ("no_proxy", SPARED):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    spare_proxy()
    assert os.environ[SPARED] == spared
    spare_proxy()
    assert os.environ[SPARED] == spared
