"""SIGTERM and SIGINT as a question that a loop asks between steps."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@dataclass
class Caught:
    """The number of the first signal that came, 0 while none did."""

    number: int = 0


@contextmanager
def catching_signals() -> Iterator[Caught]:
    """Note the first signal instead of dying of it; a second one gets its usual effect.

    Outside the main thread, where Python takes no signals, nothing is ever caught.
    """
    caught = Caught()
    if threading.current_thread() is not threading.main_thread():
        yield caught
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signal's protocol
        caught.number = number
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in SIGNALS:
        signal.signal(number, note)
    try:
        yield caught
    finally:
        restore()
