"""Signals that end a command: a loop asks for them between steps, all else is interrupted.

A signal that is ignored when the command starts stays ignored: `nohup` does that to SIGHUP, and a
shell to SIGINT of what it starts in the background.
"""

import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

from weighting.errors import Interrupted

# Closed terminals, Ctrl-C, whoever stops services, and what schedulers send ahead of a limit.
SIGNALS = (
    *(signal.SIGHUP, signal.SIGINT, signal.SIGTERM),
    *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU),
)
ONE_EVENT_SECONDS = 1.0  # shells and torchrun send a signal again that came already
LOOK_SECONDS = 0.2
PATIENCE_SECONDS = 5.0  # for the main thread to clean up and leave by itself
ENDING_SECONDS = 45.0  # more of it while a job elsewhere is cancelled
IMPORT_MACHINERY = "<frozen importlib._bootstrap>"  # file name of its functions

Leave = Callable[[BaseException], NoReturn]


@dataclass
class Caught:
    """The number of the first signal that came, 0 while none did."""

    number: int = 0


@contextmanager
def noting_signals() -> Iterator[Caught]:
    """Note the first signal instead of dying of it; a second one gets its usual effect.

    What comes within ONE_EVENT_SECONDS is the first one still, and a terminal closes only once.
    Outside the main thread, where Python takes no signals, nothing is ever caught.
    """
    caught, began = Caught(), 0.0
    if threading.current_thread() is not threading.main_thread():
        yield caught
        return
    before = {int(number): signal.getsignal(number) for number in list_signals()}

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal began
        if not caught.number:
            caught.number, began = number, time.monotonic()
        elif number != signal.SIGHUP and time.monotonic() - began >= ONE_EVENT_SECONDS:
            restore()
            _deliver(before[number], number, frame)

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in before:
        signal.signal(number, note)
    try:
        yield caught
    finally:
        restore()


def list_signals() -> list[signal.Signals]:
    """Return the signals that end a command, less those that are ignored."""
    return [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]


def _deliver(handler: object, number: int, frame: FrameType | None) -> None:
    if callable(handler):
        handler(number, frame)
    else:
        os.kill(os.getpid(), number)


@dataclass
class _Interruption:
    """What happens at a signal: `leave` ends the process, `stop` what it started."""

    leave: Leave
    stop: Callable[[], None]
    is_ending_elsewhere: Callable[[], bool]
    number: int = 0  # of the signal that interrupted the main thread

    def interrupt(self, number: int, frame: FrameType | None) -> NoReturn:
        """Raise Interrupted; while a library is imported, end the process."""
        self.number = number
        for each in list_signals():
            signal.signal(each, signal.SIG_IGN)  # a second one finds the command stopping already
        if _is_importing(frame):
            self.end(number)
        raise Interrupted(number)

    def insist(self, told: int) -> None:
        """Wait for a signal that is ours, then for the main thread; end the process at last."""
        number = 0
        while not number:
            ready, _, _ = select.select([told], [], [], LOOK_SECONDS)
            came = os.read(told, 1)[0] if ready else 0
            is_ours = came and signal.getsignal(came) == self.interrupt  # a loop may note it
            number = came if is_ours else self.number
        time.sleep(PATIENCE_SECONDS)
        deadline = time.monotonic() + ENDING_SECONDS
        while self.is_ending_elsewhere() and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        self.end(number)

    def end(self, number: int) -> NoReturn:
        """End what this process started, and then itself."""
        self.stop()
        self.leave(Interrupted(number))


def raise_signals(
    leave: Leave,
    stop: Callable[[], None] = lambda: None,
    is_ending_elsewhere: Callable[[], bool] = lambda: False,
) -> None:
    """Raise Interrupted in the main thread at the first signal; end the process soon in any case.

    Python hands a signal to the main thread between two of its steps, and a library at work for a
    minute is one step. A thread that is told by the system itself sees to the end then: it calls
    `stop`, which ends what the process started, and `leave`. While a library is imported, the
    signal ends the process at once: libraries catch what their imports raise, and go on without.
    """
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    interruption = _Interruption(leave, stop, is_ending_elsewhere)
    signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    threading.Thread(target=interruption.insist, args=(told,), daemon=True).start()
    for number in list_signals():
        signal.signal(number, interruption.interrupt)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code.co_filename != IMPORT_MACHINERY:
        frame = frame.f_back
    return frame is not None
