"""A Beam worker process that speaks only when something is wrong.

Started by `pipelines.engine.runner` through `weighting.processes.launch`, so it does not outlive
its parent.
"""

import os
import sys
from contextlib import redirect_stderr
from pathlib import Path

from pipelines.engine.logs import quiet_beam


def main() -> None:
    """Serve the runner that started this process until it is done."""
    quiet_beam()
    from apache_beam.runners.worker import sdk_worker_main  # logs on import: after quiet_beam

    # What it prints of a failure the parent tells as well; our own log goes the way it went.
    with Path(os.devnull).open("w") as nowhere, redirect_stderr(nowhere):
        sdk_worker_main.main(sys.argv)  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
