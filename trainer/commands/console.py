"""Where the commands write their tables to."""

from rich.console import Console

NOT_A_TERMINAL_COLUMNS = 120


def open_console() -> Console:
    """Return the console of standard output."""
    console = Console()
    # Rich assumes 80 columns for a file or a pipe, where nothing need be cut off.
    return console if console.is_terminal else Console(width=NOT_A_TERMINAL_COLUMNS)
