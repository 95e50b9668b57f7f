"""RUN/log.jsonl: whole lines only, whatever was torn before, and how every command ended."""

import json
import logging
import os
import subprocess
import sys

import pytest

from flows.operations.log import NAME, RunLog, describe_command, keeping_log, read_last_command
from weighting.errors import AssayError, Interrupted
from weighting.storage.failures import CannotWrite


def read_events(folder):
    lines = (folder / NAME).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_a_command_tells_its_start_its_warnings_and_its_end(tmp_path):
    with keeping_log(tmp_path) as log:
        assert not (tmp_path / NAME).exists()  # the folder may be another run's
        log.open()
        log.write("stage started", stage="curate")
        logging.getLogger("some.library").warning("it is %s", "odd")
        logging.getLogger("apache_beam.io").warning("chatter")
    start, stage, warning, end = read_events(tmp_path)
    assert start["event"] == "command started"
    assert start["pid"] == os.getpid()
    assert {"time", "command", "version", "host", "folder"} <= start.keys()
    assert (stage["event"], stage["stage"]) == ("stage started", "curate")
    assert (warning["event"], warning["message"]) == ("warning", "it is odd")
    assert (end["event"], end["seconds"] >= 0) == ("command finished", True)
    assert [one["time"] for one in (start, stage, end)] == sorted(
        one["time"] for one in (start, stage, end)
    )


@pytest.mark.parametrize(
    ("error", "event", "code"),
    [
        (AssayError("no room\nhere"), "failed", 2),
        (Interrupted(15), "interrupted", 143),
        (KeyError("a defect"), "failed", 1),
    ],
)
def test_how_a_command_failed_is_its_last_line(tmp_path, error, event, code):
    def fail():
        with keeping_log(tmp_path) as log:
            log.open()
            raise error

    with pytest.raises(type(error)):
        fail()
    last = read_events(tmp_path)[-1]
    assert (last["event"], last["exit_code"]) == (event, code)
    assert "\n" not in last["error"]
    assert last["error"]


def test_a_folder_that_was_never_the_commands_gets_no_log(tmp_path):
    with pytest.raises(AssayError), keeping_log(tmp_path):
        raise AssayError("holds another run")
    assert list(tmp_path.iterdir()) == []


def test_a_torn_last_line_is_ended_by_the_next(tmp_path):
    RunLog(tmp_path).open().write("command started", pid=1)
    with (tmp_path / NAME).open("a") as file:
        file.write('{"event": "stage st')
    log = RunLog(tmp_path).open()
    log.write("command started", pid=2)
    log.write("failed", error="x")
    lines = (tmp_path / NAME).read_text().splitlines()
    assert [line.endswith("}") for line in lines] == [True, False, True, True]
    assert [one["event"] for one in read_last_command(tmp_path)] == ["command started", "failed"]
    assert read_last_command(tmp_path)[0]["pid"] == 2
    assert read_last_command(tmp_path / "nowhere") == []


def test_a_log_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / NAME).mkdir()
    with pytest.raises((CannotWrite, OSError)):
        RunLog(tmp_path).open().write("warning")
    RunLog(tmp_path).open().fail(AssayError("the error that counts"))  # and no other


def test_passwords_and_signatures_are_left_out(monkeypatch):
    words = ["curate", "https://me:secret@host/a.jsonl?X-Sig=abc", "s3://bucket/a", "what?.txt"]
    monkeypatch.setattr(sys, "argv", ["/bin/assay", *words])
    told = ["assay", "curate", "https://…@host/a.jsonl?…", "s3://bucket/a", "what?.txt"]
    assert describe_command() == told


HURRIED = """
import os, signal, sys, threading, hashlib
from pathlib import Path
from flows import interrupt
from flows.operations.log import keeping_log
from flows.operations.output import telling
from weighting.processes import interruption
interruption.PATIENCE_SECONDS = 0.2
interrupt.catch_signals()
with telling(True) as output, keeping_log(Path(sys.argv[1])) as log:
    log.open()
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)  # half an hour in one call
"""


def test_a_command_that_cannot_wait_for_its_end_tells_it_all_the_same(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", HURRIED, str(tmp_path)], capture_output=True, text=True, check=False
    )
    last = read_events(tmp_path)[-1]
    assert (last["event"], last["exit_code"]) == ("interrupted", 143)
    told = json.loads(done.stdout)
    assert (told["exit_code"], done.returncode) == (143, 143)
    assert done.stderr.count("\n") == 1
