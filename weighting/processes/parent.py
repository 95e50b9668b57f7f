"""A child does not outlive its parent, however that ended: it gets SIGTERM, saves, and ends.

Linux sends the signal itself (prctl(2), PR_SET_PDEATHSIG), when the *thread* that started the child
ends: all of assay's wait for their children. Elsewhere a thread of the child looks who its parent
is. Either way that thread kills a child that has not ended in time.
"""

import ctypes
import os
import signal
import sys
import threading
import time

POLL_SECONDS = 0.2
PATIENCE_SECONDS = 300.0  # for the child to save what it has
SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG


def follow_parent(parent: int, *, is_ours: bool = True) -> None:
    """End this process when process `parent`, which started it, has ended.

    One that is not ours may start processes from a thread that ends before they do, so the system
    is not asked.
    """
    is_told = is_ours and _ask_system()
    if os.getppid() != parent:  # it ended before the system was asked
        os.kill(os.getpid(), signal.SIGTERM)
    thread = threading.Thread(target=_follow, args=(parent, is_told), name="parent", daemon=True)
    thread.start()


def _ask_system() -> bool:
    """Let the system send SIGTERM when the parent ends; say whether it will."""
    if sys.platform != "linux":
        return False
    try:
        return bool(ctypes.CDLL(None).prctl(SET_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0) == 0)
    except (AttributeError, OSError):  # a C library without it
        return False


def _follow(parent: int, is_told: bool) -> None:
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    if not is_told:
        os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(PATIENCE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
