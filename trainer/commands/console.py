"""Where the commands write their tables to."""

import sys

from rich.console import Console

from weighting.visible import show_line

NOT_A_TERMINAL_COLUMNS = 120


def open_console() -> Console:
    """Return the console of standard output."""
    console = Console()
    # Rich assumes 80 columns for a file or a pipe, where nothing need be cut off.
    return console if console.is_terminal else Console(width=NOT_A_TERMINAL_COLUMNS)


def warn(line: str) -> None:
    """Write what a user should know, and what stops nothing, to standard error."""
    sys.stderr.write(f"trainer: warning: {show_line(line)}\n")
