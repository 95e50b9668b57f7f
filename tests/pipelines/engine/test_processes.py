"""Child processes are found and ended, those of before spared."""

import signal
import subprocess
import sys

import pytest

from pipelines.engine.processes import list_children, stop_workers

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True)"


@pytest.fixture
def start():
    """Start processes that run until they are ended."""
    started = []

    def start(code="print(flush=True)"):
        command = [sys.executable, "-c", f"{code}\nimport time; time.sleep(600)"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout
        process.stdout.readline()
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def test_children_of_before_are_spared(start):
    before = start()
    known = {child.pid for child in list_children()}
    assert before.pid in known
    after, deaf = start(), start(DEAF)
    stop_workers(known)
    assert deaf.wait(10) == -signal.SIGKILL
    left = {child.pid for child in list_children()}
    assert before.pid in left
    assert after.pid not in left
