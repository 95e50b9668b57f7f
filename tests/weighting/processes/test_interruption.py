"""Signals: a loop notes the first one, other work is interrupted, what is ignored stays so."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from weighting.processes import interruption
from weighting.processes.interruption import SIGNALS, list_signals, noting_signals

pytestmark = pytest.mark.usefixtures("not_ignored")


@pytest.fixture
def ctrl_c():
    """Python's own handler of SIGINT, whatever libraries of other tests have set."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def send(number):
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_is_noted(number):
    with noting_signals() as caught:
        assert caught.number == 0
        send(number)
        assert caught.number == number


@pytest.mark.usefixtures("ctrl_c")
def test_a_later_one_has_its_usual_effect(monkeypatch):
    monkeypatch.setattr(interruption, "ONE_EVENT_SECONDS", 0.0)
    with noting_signals() as caught:
        send(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)
    assert caught.number == signal.SIGTERM


def test_one_event_may_send_several(monkeypatch):
    monkeypatch.setattr(interruption, "ONE_EVENT_SECONDS", 3600.0)
    with noting_signals() as caught:
        for number in (signal.SIGINT, signal.SIGINT, signal.SIGTERM):
            send(number)
    assert caught.number == signal.SIGINT


def test_a_terminal_closes_only_once(monkeypatch):
    monkeypatch.setattr(interruption, "ONE_EVENT_SECONDS", 0.0)
    with noting_signals() as caught:
        for _ in range(3):
            send(signal.SIGHUP)
    assert caught.number == signal.SIGHUP


def test_handlers_are_as_before_afterwards():
    before = [signal.getsignal(number) for number in SIGNALS]
    with noting_signals():
        assert signal.getsignal(signal.SIGTERM) != before[SIGNALS.index(signal.SIGTERM)]
    assert [signal.getsignal(number) for number in SIGNALS] == before


@pytest.mark.parametrize("number", SIGNALS)
def test_what_was_ignored_stays_ignored(number):
    before = signal.signal(number, signal.SIG_IGN)
    try:
        assert number not in list_signals()
        with noting_signals() as caught:
            send(number)
        assert caught.number == 0
    finally:
        signal.signal(number, before)


def test_another_thread_works_without_signals():
    numbers = []

    def work():
        with noting_signals() as caught:
            numbers.append(caught.number)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert numbers == [0]


LEAVING = """
import os, signal, sys
from weighting.processes import interruption
interruption.PATIENCE_SECONDS = 0.2
def leave(error):
    print(type(error).__name__, error.exit_code, flush=True)
    os._exit(error.exit_code)
interruption.raise_signals(leave, lambda: print("stopped", flush=True))
"""
CAUGHT = """
try:
    os.kill(os.getpid(), signal.{name})
except interruption.Interrupted as error:
    os.kill(os.getpid(), signal.SIGTERM)  # changes nothing
    print("cleaned up", flush=True)
    leave(error)
"""
BUSY = """
import hashlib, threading
threading.Timer(0.5, os.kill, (os.getpid(), signal.{name})).start()
hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)  # half an hour in one call
"""


def run(code, number, **options):
    code = LEAVING + code.format(name=number.name)
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, **options
    )


@pytest.mark.parametrize("number", SIGNALS)
def test_other_work_is_interrupted_and_cleans_up(number):
    done = run(CAUGHT, number)
    assert done.stdout == f"cleaned up\nInterrupted {128 + number}\n"
    assert (done.returncode, done.stderr) == (128 + number, "")


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_long_call_of_a_library_is_ended(number):
    done = run(BUSY, number, timeout=60)
    assert done.stdout == f"stopped\nInterrupted {128 + number}\n"


def ignore_hangup():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def test_nohup_is_respected():
    code = LEAVING + "os.kill(os.getpid(), signal.SIGHUP)\nprint('goes on')"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, preexec_fn=ignore_hangup
    )
    assert (done.stdout, done.returncode) == ("goes on\n", 0)
