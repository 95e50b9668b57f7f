"""Where the command begins: a signal at any moment, or a defect, is one line at most."""

import os
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.usefixtures("not_ignored")

AT = """
import os, signal, sys
class Interrupt:
    def find_spec(self, name, *_):
        if name == "{module}":
            {what}
sys.meta_path.insert(0, Interrupt())
from trainer.entry import main
sys.argv = ["trainer", "train", "--out={out}", "--shards={shards}", "--steps=9", "--warmup=0"]
sys.exit(main())
"""


def run(tmp_path, corpus, module, what):
    code = AT.format(module=module, what=what, out=tmp_path / "out", shards=corpus)
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
    )


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_the_command_is_there_has_no_traceback(tmp_path, corpus, number):
    done = run(tmp_path, corpus, "trainer.cli", f"os.kill(os.getpid(), {int(number)})")
    assert (done.returncode, done.stderr) == (-number, "")


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_a_library_loads_is_one_line(tmp_path, corpus, number):
    done = run(tmp_path, corpus, "torch", f"os.kill(os.getpid(), {int(number)})")
    assert done.returncode == 128 + number
    assert done.stderr.startswith("trainer: interrupted; what is finished is kept")
    assert done.stderr.count("\n") == 1


def test_a_defect_is_one_line_and_its_traceback_a_file(tmp_path, corpus):
    done = run(tmp_path, corpus, "trainer.run.train", "raise LookupError('no such thing')")
    [path] = tmp_path.glob("assay-*.txt")
    assert done.returncode == 1
    assert done.stderr == (
        f"trainer: unexpected LookupError: no such thing; the traceback is in {path}\n"
    )
