"""Differences with their intervals, on one axis around 0."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from flows.report.charts.axes import label_below, scale
from flows.report.charts.line_charts import COLOURS

WIDTH, ROW, LABELS = 400, 26, 40  # canvas: its width, the height of a line, and of what is below
EDGE = 30


class Difference(NamedTuple):
    """A mean, half the width of its interval (None of a single value), and its colour."""

    name: str
    mean: float
    half_width: float | None
    colour: int


def draw_differences(rows: Sequence[Difference], unit: str) -> Markup:
    """Return a line for each of one or more differences, below 0 to the left."""
    ends = [row.mean + side * (row.half_width or 0) for row in rows for side in (-1, 1)]
    base = ROW * len(rows) + 6
    x = scale(min(0, *ends), max(0, *ends), EDGE, WIDTH - EDGE)
    head = Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
        WIDTH, base + LABELS, f"differences in {unit}"
    )
    zero = Markup('<line class="neutral" x1="{0:.1f}" x2="{0:.1f}" y1="0" y2="{1}"/>').format(
        x.place(0), base
    )
    title = Markup('<text class="title" x="{}" y="{}" text-anchor="middle">{}</text>').format(
        WIDTH / 2, base + LABELS - 4, unit
    )
    marks = [
        _draw(row, x.place(row.mean), [x.place(end) for end in ends[2 * at : 2 * at + 2]], at)
        for at, row in enumerate(rows)
    ]
    return Markup("").join([head, *label_below(x, base), zero, *marks, title, Markup("</svg>")])


def _draw(row: Difference, middle: float, ends: Sequence[float], at: int) -> Markup:
    return Markup(
        '<line class="line whisker c{0}" x1="{1:.1f}" x2="{2:.1f}" y1="{4}" y2="{4}"/>'
        '<circle class="dot c{0}" cx="{3:.1f}" cy="{4}" r="5"><title>{5}</title></circle>'
    ).format(row.colour % COLOURS, *ends, middle, ROW * at + ROW / 2, row.name)
