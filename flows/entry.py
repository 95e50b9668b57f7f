"""Where the `assay` command begins: signals and logging are seen to before libraries load."""

import os
import signal
import sys

from pipelines.engine.logs import quiet_beam
from weighting.command_line import check_text
from weighting.errors import AssayError, Interrupted
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
        check_process()
        from flows.commands.app import app

        catch_signals()
        try:
            app()
        finally:
            sys.stdout.flush()
    except (Exception, Interrupted) as error:
        leave(error)


def check_process() -> None:
    """Refuse what libraries would fail at in ways of their own.

    Raises:
        AssayError: the current folder is gone, it or an argument is not UTF-8, or Python leaves
            docstrings out, which Beam reads.
    """
    try:
        here = os.getcwd()  # noqa: PTH109 - pathlib would be imported for it
    except FileNotFoundError:
        raise AssayError("the current folder is gone; go to one that exists") from None
    check_text([here, *sys.argv[1:]])
    if sys.flags.optimize > 1:
        raise AssayError("Apache Beam does not run without docstrings: leave out -OO")
