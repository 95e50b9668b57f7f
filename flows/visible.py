"""How texts of strangers and paths are shown to people."""

from pathlib import Path

from flows.graphemes import shorten
from weighting.visible import show

__all__ = ["shorten", "shorten_path", "show"]


def shorten_path(path: str) -> str:
    """Return a path as seen from the current folder, if it lies in it."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path
