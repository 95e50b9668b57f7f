"""How an error ends a command."""

import signal

from weighting.errors import AGAIN, Interrupted


def test_an_interrupted_command_ends_as_shells_have_it():
    error = Interrupted(signal.SIGTERM, "saved")
    assert (error.exit_code, str(error)) == (143, "saved (SIGTERM)")
    assert str(Interrupted(signal.SIGINT)) == f"interrupted; {AGAIN} (SIGINT)"
