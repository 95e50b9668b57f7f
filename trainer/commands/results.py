"""`trainer results`: print a finished ablation, a part of one, or one run."""

import os
import shutil
import sys
from pathlib import Path

from trainer.compare.collect import find_results
from trainer.compare.results import AblationResults
from trainer.display.results_formats import FORMATS, write_table
from weighting.storage.lock import find_holder


def run(folder: Path, form: str) -> None:
    """Print what is in a folder; what is missing goes to standard error as well."""
    results = find_results(folder)
    missing, planned = len(results.list_missing()), len([*results.plan.list_runs()])
    if missing:
        holder = find_holder(folder)
        state = f"; at work here: {holder}" if holder else ""
        sys.stderr.write(f"trainer: {missing} of {planned} runs have no result{state}\n")
    show(results, form)


def show(results: AblationResults, form: str = "table") -> None:
    """Write results to standard output in one of FORMATS."""
    text = write_table(results, find_width()) if form == "table" else FORMATS[form](results)
    sys.stdout.write(text)


def find_width() -> int | None:
    """Return the columns that lines may have: COLUMNS, or a terminal's; None is without limit."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit():
        return shutil.get_terminal_size().columns
    return None
