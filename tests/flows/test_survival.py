"""A run survives: a full disk, a second process, signals at bad moments."""

import json
import os
import resource
import signal
import subprocess
import sys

import pytest

from tests.flows.invoking import call, invoke
from weighting.contracts.manifest import read_manifest
from weighting.storage.lock import NAME, locking

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("not_ignored")]  # whole runs

ROOM = 40_000  # bytes a file may have: too few for the report, enough for some units


def limit_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, ROOM))


def run_code(code, **options):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, **options
    )


@pytest.mark.slow
def test_a_run_that_met_a_full_disk_goes_on_to_the_same_bytes(make_corpus, tmp_path):
    corpus = make_corpus(tmp_path / "corpus", documents=200)
    run, calm = tmp_path / "run", tmp_path / "calm"
    invoke("curate", *corpus, "--out", calm)  # first: compiled kernels are larger files
    done = call("curate", *corpus, "--out", run, preexec_fn=limit_files)
    told = done.stderr.splitlines()[-1]
    assert done.returncode == 2
    assert "cannot be written (File too large); make room: what is finished is kept" in told
    assert told.startswith(f"assay: {run}")
    assert not (run / "manifest.json").exists()
    assert not list(run.rglob(".*"))
    invoke("curate", *corpus, "--out", run)
    assert read_manifest(run).files == read_manifest(calm).files


def test_two_processes_do_not_work_on_one_run(small_corpus, tmp_path):
    run = tmp_path / "run"
    with locking(run):
        done = call("curate", *small_corpus, "--out", run)
        assert [path.name for path in run.iterdir()] == [NAME]
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"{run}: another process works here (process {os.getpid()} on" in done.stderr


def test_a_run_is_replaced_under_the_lock(small_corpus, tmp_path):
    run = tmp_path / "run"
    invoke("curate", small_corpus[0], "--out", run, "--recipe", "minimal")
    (run / NAME).write_text(json.dumps({"pid": 1}))  # of a process that was killed
    invoke("curate", small_corpus[1], "--out", run, "--recipe", "minimal", "--overwrite")
    assert [entry.name for entry in read_manifest(run).inputs] == ["b.jsonl"]
    assert not (run / NAME).exists()


IMPORTING = """
import os, signal, sys
class Interrupt:
    def find_spec(self, name, *_):
        if name == "{module}":
            os.kill(os.getpid(), signal.{name})
sys.meta_path.insert(0, Interrupt())
from flows.entry import main
sys.argv = ["assay", "query", "run", "SELECT 1"]
main()
"""


@pytest.mark.parametrize("name", ["SIGHUP", "SIGINT", "SIGTERM"])
def test_a_signal_while_libraries_load_leaves_no_traceback(name):
    done = run_code(IMPORTING.format(module="typer", name=name))
    assert done.returncode == -getattr(signal, name)
    assert done.stderr == ""


@pytest.mark.parametrize("name", ["SIGHUP", "SIGINT", "SIGTERM"])
@pytest.mark.parametrize("module", ["duckdb", "flows.operations.standing"])
def test_a_signal_while_a_command_loads_ends_it_at_once(module, name):
    done = run_code(IMPORTING.format(module=module, name=name))
    assert done.returncode == 128 + getattr(signal, name)
    assert done.stderr.startswith("assay: interrupted; ")
    assert done.stderr.count("\n") == 1


BUSY = """
import hashlib, os, signal, threading
from weighting.processes import interruption
interruption.PATIENCE_SECONDS = 0.2
from flows import interrupt
interrupt.catch_signals()
threading.Timer(1, os.kill, (os.getpid(), signal.SIGTERM)).start()
hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)  # half an hour in one call
"""


def test_a_signal_in_a_long_call_of_a_library_ends_the_process():
    done = run_code(BUSY, timeout=60)
    assert done.returncode == 128 + signal.SIGTERM
    assert done.stderr.splitlines()[-1].startswith("assay: interrupted; what is finished is kept")


IMPATIENT = """
import os, signal
from flows.interrupt import catch_signals, leave
from weighting.errors import Interrupted
catch_signals()
try:
    os.kill(os.getpid(), signal.SIGINT)
except Interrupted as error:
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(os.getpid(), number)
    leave(error)
"""


def test_a_second_signal_while_stopping_changes_nothing():
    done = run_code(IMPATIENT)
    assert done.returncode == 128 + signal.SIGINT
    assert done.stderr.splitlines()[-1].startswith("assay: interrupted")
    assert "Traceback" not in done.stderr


def test_a_defect_keeps_its_traceback(tmp_path):
    code = "from flows.interrupt import leave\nleave(KeyError('a defect'))"
    done = run_code(code, env={**os.environ, "TMPDIR": str(tmp_path)})
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    [path] = tmp_path.iterdir()
    assert line == f"assay: unexpected KeyError: 'a defect'; the traceback is in {path}"
    assert path.read_text().splitlines()[-1] == "KeyError: 'a defect'"


def test_what_a_name_holds_does_not_act_on_the_screen():
    code = "from flows.interrupt import leave\nfrom weighting.errors import AssayError\n"
    done = run_code(code + r"leave(AssayError('a\x1b[2J\u202eb.jsonl:\n no'))")
    assert done.stderr == "assay: a␛[2J⟨U+202E⟩b.jsonl: no\n"
