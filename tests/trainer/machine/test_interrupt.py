"""The first signal is noted, the second has its usual effect, threads get none."""

import os
import signal
import threading

import pytest

from trainer.machine.interrupt import catching_signals


@pytest.fixture
def ctrl_c():
    """Python's own handler of SIGINT, whatever libraries of other tests have set."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_the_first_signal_is_noted_and_the_second_is_not():
    with catching_signals() as caught:
        assert caught.number == 0
        os.kill(os.getpid(), signal.SIGINT)
        assert caught.number == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_handlers_are_as_before_afterwards():
    before = signal.getsignal(signal.SIGTERM)
    with catching_signals():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


def test_another_thread_works_without_signals():
    numbers = []

    def work():
        with catching_signals() as caught:
            numbers.append(caught.number)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert numbers == [0]
