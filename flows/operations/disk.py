"""The room on disk that a run takes, estimated from its bytes of text before the work begins.

The factors were measured (`docs/guides/operating.md`). They are for prose of which little
is dropped; another corpus takes less.
"""

import shutil
from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from flows.operations.log import RunLog
from flows.operations.meter import measure_folder
from flows.recipe.schema import Recipe
from flows.run.folder import Run
from weighting.errors import AssayError

PEAK, FINAL = 8.5, 3.5  # times the bytes of text
FIXED = 8_000_000  # bytes of what hardly grows with the text: tokenizer, database, report
SIGNALS = 0.7  # of FINAL, where the run keeps its signals


class Room(NamedTuple):
    """Bytes that a run will take in its folder, and the free ones there are for it."""

    peak: int
    final: int
    free: int  # with what the run has taken already


def estimate_room(run: Run) -> Room:
    """Return how much room a run needs, and how much there is for it."""
    text = sum(run.sizes().values())
    there = measure_folder(run.folder)
    free = shutil.disk_usage(run.folder).free + there
    peak, final = find_factors(run.recipe)
    return Room(FIXED + int(text * peak), FIXED + int(text * final), free)


def find_factors(recipe: Recipe) -> tuple[float, float]:
    """Return how many times the bytes of text a run of a recipe takes at its peak, and finished."""
    left_out = 0.0 if recipe.signals.keep else SIGNALS
    return PEAK, FINAL - left_out


def check_room(run: Run, console: Console, log: RunLog) -> None:
    """Warn where the peak may not fit on the disk.

    Raises:
        AssayError: not even what the finished run takes will fit.
    """
    room = estimate_room(run)
    told = (
        f"{_show(room.free)} of room for {run.folder}, and the run takes about "
        f"{_show(room.peak)} while it works, {_show(room.final)} when it is finished"
    )
    if room.free < room.final:
        raise AssayError(f"{told}; make room, or name an --out on another disk")
    if room.free < room.peak:
        message = f"only {told}: it may not fit"
        console.print(Text(message, "yellow"))
        log.write_warning(message)


def _show(size: int) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.0f} MB"
