"""Rows of a run as JSON lines: appended while it runs, cut back when it resumes."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from weighting.errors import BrokenContract
from weighting.storage.files import write_text
from weighting.storage.json_records import from_json, to_json

METRICS = "metrics.jsonl"  # a row every `log_every` steps
EVALUATIONS = "evaluations.jsonl"  # a row every `eval_every` steps
TAIL_BYTES = 4096  # more than a row has


@dataclass(frozen=True)
class Metrics:
    """One row of metrics.jsonl: an update, over its global batch. Losses in nats a target."""

    step: int  # updates done, this one included
    tokens: int  # targets seen, of all updates so far
    loss: float  # what was minimised
    nll: float  # the plain loss
    lr: float
    grad_norm: float  # before clipping
    ess: float  # effective share of the batch's targets
    tokens_per_second: float  # since the last row
    matmul_share: float | None = None  # of the measured rate of products; older rows have none


@dataclass(frozen=True)
class Evaluation:
    """One row of evaluations.jsonl: the plain loss on the validation split, nats a target."""

    step: int  # updates done
    validation_tokens: int  # targets that were scored
    validation_nll: float
    bits_per_byte: float | None = None  # None where no tokenizer says what bytes tokens stand for
    nll_high: float | None = None  # of the most frequent types; None where no target is one
    nll_medium: float | None = None
    nll_low: float | None = None  # of the rarest


Row = Metrics | Evaluation
Report = Callable[[Row], None]
Kind = TypeVar("Kind", Metrics, Evaluation)


def append_row(path: Path, row: Row) -> None:
    """Append one row; a kill can leave only the last row unfinished."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(to_json(row), allow_nan=False) + "\n")


def read_metrics(run: Path) -> list[Metrics]:
    """Return the finished rows of a run's metrics; empty before the first.

    Raises:
        BrokenContract: a line is no such row.
    """
    return _read_rows(run / METRICS, Metrics)


def read_evaluations(run: Path) -> list[Evaluation]:
    """Return the finished rows of a run's evaluations; empty before the first.

    Raises:
        BrokenContract: a line is no such row.
    """
    return _read_rows(run / EVALUATIONS, Evaluation)


def read_last_step(path: Path) -> int:
    """Return the step of the last finished row, 0 where there is none; reads the tail only."""
    if not path.exists():
        return 0
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        finished = file.read().split(b"\n")[:-1]
    return int(json.loads(finished[-1])["step"]) if finished else 0


def cut_rows(run: Path, last_step: int) -> None:
    """Drop a run's rows after `last_step`, which a resumed run writes again."""
    for name in (METRICS, EVALUATIONS):
        lines = _read_lines(run / name)
        kept = [line for line in lines if json.loads(line)["step"] <= last_step]
        write_text(run / name, "".join(kept))


def _read_rows(path: Path, kind: type[Kind]) -> list[Kind]:
    try:
        return [from_json(kind, json.loads(line)) for line in _read_lines(path)]
    except (BrokenContract, json.JSONDecodeError) as error:
        raise BrokenContract(f"{path}: {error}") from None


def _read_lines(path: Path) -> list[str]:
    """Return the finished lines, with their ends."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [line for line in lines if line.endswith("\n")]
