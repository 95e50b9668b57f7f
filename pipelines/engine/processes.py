"""Processes that this one started: a run that fails or is interrupted leaves none behind.

Imports no Beam, so that a command can end them before it has loaded any.
"""

import threading
from collections.abc import Collection

import psutil

ENDING = threading.Event()  # set while a job elsewhere is being ended: that may take half a minute


def list_children() -> list[psutil.Process]:
    """Return the processes that this one started, and theirs."""
    return list(psutil.Process().children(recursive=True))


def stop_workers(before: Collection[int] = ()) -> None:
    """End all processes started since, besides those of `before`: a dead run leaves no orphans."""
    started = [process for process in list_children() if process.pid not in before]
    for process in started:
        try:
            process.terminate()
        except psutil.Error:
            continue
    _, stubborn = psutil.wait_procs(started, timeout=3)
    for process in stubborn:
        process.kill()
