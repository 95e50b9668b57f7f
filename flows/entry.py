"""Where the `assay` command begins: signals and logging are seen to before libraries load."""

import signal
import sys

from pipelines.engine.logs import quiet_beam
from weighting.output import guard_streams


def main() -> None:
    """Run the command; whatever ends it early is told in one line, if it is known.

    Commands import what they need when they run, so `--help` waits for next to nothing.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C from here on: no traceback
    quiet_beam()
    guard_streams()

    from flows.interrupt import catch_signals, leave

    try:
        from flows.commands.app import app

        catch_signals()
        try:
            app()
        finally:
            sys.stdout.flush()
    except Exception as error:
        leave(error)
