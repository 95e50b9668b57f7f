"""Where the `trainer` command begins: signals are seen to before libraries load."""

import os
import signal
import sys
from contextlib import suppress
from typing import NoReturn

from weighting.defects import describe_end
from weighting.errors import Interrupted
from weighting.processes.interruption import raise_signals


def main() -> int:
    """Run the command and return its exit code; whatever ends it early is told in one line."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C from here on: no traceback
    try:
        from trainer import cli

        raise_signals(leave)
        return cli.main()
    except (Exception, Interrupted) as error:
        leave(error)


def leave(error: BaseException) -> NoReturn:
    """Tell an error in one line and end the process."""
    end = describe_end(error)
    with suppress(OSError):
        sys.stderr.write(f"trainer: {end.line}\n")
        sys.stderr.flush()
    os._exit(end.exit_code)
