"""Rows of a run as JSON lines: appended while it runs, cut back when it resumes."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from weighting.storage.files import write_text

Row = dict[str, Any]
Report = Callable[[Row], None]
TAIL_BYTES = 4096  # more than a row has


def append_row(path: Path, row: Mapping[str, Any]) -> None:
    """Append one row; a kill can leave only the last row unfinished."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row, allow_nan=False) + "\n")


def read_rows(path: Path) -> list[Row]:
    """Return the finished rows of a file; none where there is no file."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def read_last_step(path: Path) -> int:
    """Return the step of the last finished row, 0 where there is none; reads the tail only."""
    if not path.exists():
        return 0
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        finished = file.read().split(b"\n")[:-1]
    return int(json.loads(finished[-1])["step"]) if finished else 0


def cut_rows(path: Path, last_step: int) -> None:
    """Drop the rows after `last_step`, which a resumed run writes again."""
    kept = [json.dumps(row) for row in read_rows(path) if row["step"] <= last_step]
    write_text(path, "".join(f"{line}\n" for line in kept))
