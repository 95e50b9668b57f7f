"""A Beam worker process that speaks only when something is wrong and never outlives its parent.

Started by `pipelines.engine.runner` through `weighting.processes.launch`.
"""

import os
import sys
import threading
import time
from contextlib import redirect_stderr
from pathlib import Path

from pipelines.engine.logs import quiet_beam

PARENT_POLL_SECONDS = 0.2


def main() -> None:
    """Serve the runner that started this process until it is done, or gone."""
    quiet_beam()
    threading.Thread(target=_leave_with_parent, args=(os.getppid(),), daemon=True).start()
    from apache_beam.runners.worker import sdk_worker_main  # logs on import: after quiet_beam

    # What it prints of a failure the parent tells as well; our own log goes the way it went.
    with Path(os.devnull).open("w") as nowhere, redirect_stderr(nowhere):
        sdk_worker_main.main(sys.argv)  # type: ignore[no-untyped-call]


def _leave_with_parent(parent: int) -> None:
    """End this process when its parent is gone: a killed run leaves no orphans."""
    while os.getppid() == parent:
        time.sleep(PARENT_POLL_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main()
