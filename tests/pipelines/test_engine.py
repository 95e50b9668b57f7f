"""The engine: which runners are refused, how failures and deaths of workers end a run."""

import os
import signal
import subprocess
import sys
import threading
import time

import apache_beam as beam
import psutil
import pytest

from pipelines import engine
from pipelines.engine import Engine, WorkerDied, run
from tests.pipelines.jobs import read_bytes, run_jobs
from weighting.errors import AssayError


@pytest.mark.parametrize("runner", ["DaskRunner", "DirectRunner"])
def test_runners_that_lose_data_are_refused_by_name(runner):
    with pytest.raises(AssayError, match=f"{runner} is refused"):
        run(Engine(beam_args=[f"--runner={runner}"]), lambda pipeline: None)


def fail(_element):
    raise ValueError("this unit is broken")


def test_what_a_kernel_raises_reaches_the_caller():
    def build(pipeline):
        _ = pipeline | beam.Create([1]) | beam.Map(fail)

    with pytest.raises(Exception, match="this unit is broken"):
        run(Engine(), build)


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


@pytest.mark.workers
@pytest.mark.timeout(90)
def test_a_killed_worker_ends_the_run_and_leaves_no_process(monkeypatch):
    monkeypatch.setattr(engine, "GRACE_SECONDS", 2.0)
    killed = []

    def build(pipeline):
        _ = pipeline | beam.Create([60, 60]) | beam.Map(sleep)

    def kill_one():
        workers = [
            process
            for process in psutil.Process().children(recursive=True)
            if "pipelines.worker" in process.cmdline()
        ]
        if len(workers) == 2 and not killed:
            killed.extend(workers)
            os.kill(workers[0].pid, signal.SIGKILL)

    with pytest.raises(WorkerDied, match=r"died .* run the same command again"):
        run(Engine(workers=2), build, kill_one)
    assert len(killed) == 2
    psutil.wait_procs(killed, timeout=5)
    assert not any(process.is_running() for process in killed)


SLEEPER = """
import apache_beam as beam
from pipelines.engine import Engine, run
from tests.pipelines.test_engine import sleep
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
        workers = [p for p in process.children(recursive=True) if "pipelines.worker" in p.cmdline()]
        time.sleep(0.1)
    time.sleep(1)
    driver.kill()
    driver.wait()
    _gone, alive = psutil.wait_procs(workers, timeout=20)
    assert not alive


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
