"""Standard output: any terminal shows any text, and a reader that leaves ends the command."""

import os
import subprocess
import sys

import pytest

from tests.pipes import leave_after_a_line

SAY = """
import sys
from weighting.output import guard_streams, open_data_output
guard_streams()
sys.stderr.write("\\u2026\\udcff\\n")
sys.stdout.write("\\u00b1\\n")
sys.stdout.flush()
open_data_output().write("\\u2500\\u25ba")
"""


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
def test_a_terminal_without_utf8_shows_other_characters_by_number(environment):
    done = subprocess.run(
        [sys.executable, "-c", SAY], capture_output=True, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == b"\\xb1\n" + "─►".encode()  # data is UTF-8 all the same
    assert done.stderr == b"\\u2026\\udcff\n"


def test_file_names_that_are_no_text_can_be_written_too():
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run([sys.executable, "-c", SAY], capture_output=True, env=environment)
    assert done.stdout == "±\n─►".encode()
    assert done.stderr == "…\\udcff\n".encode()


POUR = """
import sys
from weighting.output import OutputClosed, guard_streams
guard_streams()
try:
    while True:
        sys.stdout.write("much\\n" * 1000)
except OSError:  # click and rich would end with 1
    sys.exit(1)
except OutputClosed as closed:
    import os
    os._exit(closed.exit_code)
"""


def test_a_reader_that_leaves_ends_it_as_sigpipe_would():
    assert leave_after_a_line([sys.executable, "-c", POUR]) == (141, b"")
