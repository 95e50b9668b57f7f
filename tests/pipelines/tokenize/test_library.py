"""Calls of compiled libraries: any failure is one line, and their own reports are not seen."""

import os

import pytest

from pipelines.tokenize.library import calling
from weighting.errors import AssayError

# What compiled code raises when it gives up: no Exception.
Panic = type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})


def panic(error):
    """Fail as compiled code does, with a report of its own."""
    os.write(2, b"thread panicked\n")
    raise error


@pytest.mark.parametrize("error", [ValueError("first\n\nLocation: src"), Panic("first\nrest")])
def test_a_failure_is_one_line_and_nothing_else_is_seen(capfd, error):
    with pytest.raises(AssayError, match=r"^t\.json: bad \(first\)$"), calling("t.json: bad"):
        panic(error)
    assert capfd.readouterr().err == ""


def test_what_is_written_without_a_failure_is_passed_on(capfd):
    with calling("t.json"):
        os.write(2, b"by the way\n")
    assert capfd.readouterr().err == "by the way\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), AssayError("mine")])
def test_interrupts_and_errors_of_assay_stay_what_they_are(error):
    with pytest.raises(type(error)) as raised, calling("t.json"):
        raise error
    assert raised.value is error
