"""The panel of one run on a terminal: how far, how well, how fast, how long still.

It is redrawn in place, so that a run of days leaves one panel and not a scroll of lines; the rows
themselves are in metrics.jsonl and evaluations.jsonl.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from time import monotonic
from typing import TypeVar

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from trainer.run.metrics import Evaluation, Metrics, Row

BLOCKS = "▁▂▃▄▅▆▇█"
LETTERS = "_.:-=+*#"  # where the terminal's encoding has no blocks
SPARKS = 32  # a sparkline's most marks, and the rows of each kind that are kept
WIDEST = 100
TWO_COLUMNS = 78  # the width from which on there are two
FRAME = 4  # border and padding
GAP = 3
LABEL = 12
PERCENT = 5
NOTHING = "-"

Field = tuple[str, str, Sequence[float]]  # label, value, course
Kind = TypeVar("Kind", Metrics, Evaluation)


@dataclass
class RunPanel:
    """What is known of a run of `steps` updates: rows come in by `add`, rich draws it."""

    steps: int
    clock: Callable[[], float] = monotonic
    metrics: tuple[Metrics, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    best: Evaluation | None = None
    times: tuple[tuple[int, float], ...] = ()  # step and time of this process's first and last row
    is_live: bool = False  # this process wrote a row
    began: float = field(init=False)

    def __post_init__(self) -> None:
        """Start the clock."""
        self.began = self.clock()

    def remember(self, row: Row) -> None:
        """Take a row that an earlier process of the run wrote."""
        # Tuples are replaced, never changed: the thread that draws sees one state or the next.
        if isinstance(row, Metrics):
            self.metrics = _append(self.metrics, row)
            return
        self.evaluations = _append(self.evaluations, row)
        if self.best is None or row.validation_nll < self.best.validation_nll:
            self.best = row

    def add(self, row: Row) -> None:
        """Take a row that was just written."""
        self.remember(row)
        self.is_live = True
        if isinstance(row, Metrics):
            self.times = (*self.times[:1], (row.step, self.clock()))

    def seconds_left(self) -> float | None:
        """Return the time left at this process's pace so far, None before its first row.

        The pace is that from its first row to its last, with all evaluations and checkpoints. The
        first row itself holds the start, so of that only the speed of its updates counts.
        """
        if not self.times:
            return None
        (first, then), (step, now) = self.times[0], self.times[-1]
        if step > first:
            pace = (now - then) / (step - first)
        else:
            row = self.metrics[-1]
            pace = row.tokens / row.step / row.tokens_per_second
        return max(0.0, (self.steps - step) * pace - (self.clock() - now))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the panel in the width there is, in one column or two."""
        width = min(options.max_width, WIDEST)
        columns = 2 if width >= TWO_COLUMNS else 1
        cell = (width - FRAME - GAP * (columns - 1)) // columns
        marks = LETTERS if options.ascii_only else BLOCKS
        left, right = (
            [draw_field(each, cell, marks) for each in fields]
            for fields in (self._list_losses(), self._list_rates())
        )
        body = Table.grid(padding=(0, GAP, 0, 0), pad_edge=False)
        for _ in range(columns):
            body.add_column(width=cell)
        cells = (left, right) if columns == 2 else ([*left, *right],)
        for row in zip(*cells, strict=True):
            body.add_row(*row)
        yield Panel(
            Group(self._draw_bar(width - FRAME), "", body),
            title=f"step {self._step:,} of {self.steps:,}",
            title_align="left",
            subtitle=self._tell_times(),
            subtitle_align="right",
            width=width,
        )

    @property
    def _step(self) -> int:
        return self.metrics[-1].step if self.metrics else 0

    def _draw_bar(self, width: int) -> Table:
        line = Table.grid()
        bar = ProgressBar(
            self.steps, self._step, width=max(1, width - PERCENT), complete_style="cyan"
        )
        line.add_row(bar, f"{self._step / self.steps:>{PERCENT}.0%}")
        return line

    def _tell_times(self) -> str:
        left = self.seconds_left()
        elapsed = f"elapsed {tell_time(self.clock() - self.began)}"
        return elapsed if left is None else f"{elapsed}, left {tell_time(left)}"

    def _list_losses(self) -> list[Field]:
        row = self.metrics[-1] if self.metrics else None
        last = self.evaluations[-1] if self.evaluations else None
        return [
            ("loss", tell(row, "{loss:.4f}"), [each.loss for each in self.metrics]),
            ("nll", tell(row, "{nll:.4f}"), ()),
            (
                "validation",
                tell(last, "{validation_nll:.4f}"),
                [each.validation_nll for each in self.evaluations],
            ),
            ("best", tell(self.best, "{validation_nll:.4f}  step {step:,}"), ()),
            ("bits/byte", tell(last, "{bits_per_byte:.4f}"), ()),
        ]

    def _list_rates(self) -> list[Field]:
        row = self.metrics[-1] if self.metrics else None
        return [
            ("speed", tell(row, "{tokens_per_second:,.0f} tokens/s"), ()),
            ("matmul", tell(row, "{matmul_share:.1%} of measured rate"), ()),
            ("seen", tell(row, "{tokens:,} tokens"), ()),
            ("lr", tell(row, "{lr:.2e}"), ()),
            ("norm", tell(row, "{grad_norm:.3f}"), ()),
        ]


def draw_field(part: Field, width: int, marks: str) -> Text:
    """Return a line of a label, a value and, in what is left of `width`, a sparkline."""
    label, value, course = part
    line = Text(f"{label:<{LABEL}}", style="dim", no_wrap=True, overflow="crop")
    line.append(value, style="not dim")
    room = min(SPARKS, width - line.cell_len - 2)
    if course and room > 0:
        line.append("  ").append(draw_sparkline(course[-room:], marks), style="not dim cyan")
    line.truncate(width)
    return line


def draw_sparkline(values: Sequence[float], marks: str = BLOCKS) -> str:
    """Return one mark a value, the lowest value the first mark and the highest the last."""
    low, high = min(values), max(values)
    scale = (len(marks) - 1) / (high - low) if high > low else 0.0
    return "".join(marks[round((value - low) * scale)] for value in values)


def tell_time(seconds: float) -> str:
    """Return whole seconds as H:MM:SS, with the days before them."""
    return str(timedelta(seconds=int(seconds)))


def tell(row: Row | None, form: str) -> str:
    """Return numbers of a row in a format string's form, a dash where one is not known."""
    try:
        return NOTHING if row is None else form.format(**asdict(row))
    except TypeError:  # of None in a form for numbers
        return NOTHING


def _append(rows: tuple[Kind, ...], row: Kind) -> tuple[Kind, ...]:
    # A resumed run writes the rows after its checkpoint again.
    kept: list[Kind] = [each for each in rows if each.step < row.step]
    kept.append(row)
    return tuple(kept[-SPARKS:])
