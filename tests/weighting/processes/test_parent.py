"""A child ends with its parent, whichever signal ended that, and saves before."""

import os
import signal
import subprocess
import sys
import time

import pytest

from weighting.processes import parent
from weighting.processes.launch import list_command

SECONDS = 60.0  # that a test waits at most

PARENT = """
import subprocess, sys, time
from weighting.processes.launch import list_command
command = list_command("tests.weighting.processes.child", *sys.argv[1:])
subprocess.Popen(command, start_new_session=True)
time.sleep(600)
"""


def wait_for(condition):
    deadline = time.monotonic() + SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def read(path):
    return path.read_text() if path.exists() else ""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGQUIT])
def test_a_child_saves_and_ends_with_its_parent(tmp_path, number):
    path = tmp_path / "saved"
    started = subprocess.Popen([sys.executable, "-c", PARENT, "save", str(path)])
    child = int(wait_for(lambda: read(path)))
    started.send_signal(number)
    assert started.wait(SECONDS) == -number
    wait_for(lambda: read(path) == "saved")
    wait_for(lambda: not is_alive(child))


FOLLOWING = """
import os, signal, sys, time
from pathlib import Path
from weighting.processes import parent
parent.PATIENCE_SECONDS = 0.5
sys.platform = sys.argv[2]
def save(*_):
    Path(sys.argv[1] + ".saved").touch()
    if sys.argv[3] == "ends":
        sys.exit()
signal.signal(signal.SIGTERM, save)
parent.follow_parent(os.getppid())
new = Path(sys.argv[1] + ".new")
new.write_text(str(os.getpid()))
new.replace(sys.argv[1])
while True:
    time.sleep(0.1)
"""


@pytest.mark.parametrize("platform", ["linux", "another"])
@pytest.mark.parametrize("way", ["ends", "goes on"])
def test_it_is_told_once_and_killed_if_it_does_not_end(tmp_path, platform, way):
    path = tmp_path / "child"
    arguments = [sys.executable, "-c", FOLLOWING, str(path), platform, way]
    starting = "import subprocess, sys, time; subprocess.Popen(sys.argv[1:]); time.sleep(600)"
    started = subprocess.Popen([sys.executable, "-c", starting, *arguments])
    child = int(wait_for(lambda: read(path)))
    started.kill()
    started.wait()
    wait_for(lambda: not is_alive(child))
    assert (tmp_path / "child.saved").exists()


def test_a_child_whose_parent_has_gone_already_ends():
    command = list_command("tests.weighting.processes.child", "wait", "600")
    command[command.index(str(os.getpid()))] = "1"  # not the parent of what is started here
    assert subprocess.run(command, check=False, timeout=SECONDS).returncode == -signal.SIGTERM


def test_other_systems_are_not_asked(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not parent._ask_system()
