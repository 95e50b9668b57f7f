"""The processes that this one started, and their end. Imports no Beam."""

from collections.abc import Collection

import psutil


def list_children() -> list[psutil.Process]:
    """Return all processes that this one started, and that those did."""
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
