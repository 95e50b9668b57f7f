"""Processes that this one started are found and ended, and no others."""

import subprocess
import sys

from pipelines.engine.processes import list_children, stop_workers

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [sys.executable, "-c", "import signal, time; signal.signal(15, lambda *_: 0); print()"
            "; [time.sleep(1) for _ in range(60)]"]  # fmt: skip


def test_what_started_since_is_ended_and_the_rest_is_left():
    with subprocess.Popen(SLEEP) as early, subprocess.Popen(SLEEP) as late:
        assert {early.pid, late.pid} <= {child.pid for child in list_children()}
        stop_workers([child.pid for child in list_children() if child.pid != late.pid])
        running = {child.pid for child in list_children()}
        assert early.pid in running
        assert late.pid not in running
        early.kill()


def test_one_that_does_not_listen_is_killed():
    before = [child.pid for child in list_children()]
    with subprocess.Popen(STUBBORN, stdout=subprocess.PIPE) as stubborn:
        assert stubborn.stdout.readline() == b"\n"  # from here on it does not listen
        stop_workers(before)
        stubborn.wait(timeout=20)
    assert stubborn.pid not in {child.pid for child in list_children()}
