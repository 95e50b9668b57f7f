"""Axes: scales from data to canvas, ticks at round numbers, and the frame around a plot."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup

from flows.report.figures import show_number

WIDTH, HEIGHT = 400, 250
LEFT, RIGHT, TOP, BOTTOM = 52, 24, 12, 46  # room for the labels around the plot
STEPS = (1, 2, 5, 10)
CHARACTER, TITLE = 7.5, 22  # width of a character of a label, and of a title on its side
LOG2_10 = math.log2(10)
SLACK = 1e-9
FLAT = 1e-9  # data that differ by less of their size get an axis of that size
FRACTIONS = {-6: "1/64", -5: "1/32", -4: "1/16", -3: "⅛", -2: "¼", -1: "½"}  # powers of 2

Point = tuple[float, float]


class Axis(NamedTuple):
    """A linear scale from data to canvas, with its ticks: (value, label)."""

    low: float
    high: float
    start: float
    stop: float
    ticks: Sequence[tuple[float, str]]

    def place(self, value: float) -> float:
        """Return the canvas coordinate of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.stop - self.start)


def scale(low: float, high: float, start: float, stop: float) -> Axis:
    """Return an axis around [low, high] with two to eight ticks at round numbers."""
    size = max(abs(low), abs(high), 1)
    span = high - low if high - low > FLAT * size else size
    power = 10.0 ** math.floor(math.log10(span / 4))
    step = next(power * size for size in STEPS if span / (power * size) <= 5)
    first, last = math.floor(low / step), max(math.ceil(high / step), math.floor(low / step) + 1)
    digits = max(0, -math.floor(math.log10(step)))
    ticks = [
        (count * step, f"{count * step:,.{digits}f}".replace("-", "\N{MINUS SIGN}"))
        for count in range(first, last + 1)
    ]
    return Axis(first * step, last * step, start, stop, ticks)


def label_powers(low: float, high: float, most: int = 14) -> list[tuple[float, str]]:
    """Return ticks at powers of 2, at most so many, evenly apart."""
    powers = range(math.ceil(low - SLACK), math.floor(high + SLACK) + 1)
    return [
        (power, FRACTIONS.get(power, show_number(2.0**power)))
        for power in powers[:: -(-len(powers) // most) or 1]
    ]


def label_tens(low: float, high: float) -> list[tuple[float, str]]:
    """Return ticks at powers of 10 on an axis of log2, every other one where they are long."""
    powers = range(math.ceil(low / LOG2_10 - SLACK), math.floor(high / LOG2_10 + SLACK) + 1)
    return [
        (power * LOG2_10, f"{10**power:,}") for power in powers[:: 1 if len(powers) <= 6 else 2]
    ]


def find_left(ticks: Sequence[tuple[float, str]]) -> float:
    """Return where a plot begins, so that the labels left of it are whole."""
    return max(LEFT, TITLE + CHARACTER * max(len(label) for _, label in ticks))


def label_below(x: Axis, base: float) -> Iterator[Markup]:
    """Yield the ticks of a horizontal axis at the height `base`, with their labels."""
    for value, label in x.ticks:
        yield Markup(
            '<line class="tick" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>'
            '<text x="{0:.1f}" y="{3}" text-anchor="middle">{4}</text>'
        ).format(x.place(value), base, base + 4, base + 17, label)


def frame(x_title: str, y_title: str, x: Axis, y: Axis, marks: Sequence[Markup]) -> Markup:
    """Return the SVG: grid, axes with labels and titles, and the marks."""
    head = Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{} by {}">')
    titles = Markup(
        '<text class="title" x="{}" y="{}" text-anchor="end">{}</text>'
        '<text class="title" transform="translate(12 {}) rotate(-90)" text-anchor="end">{}</text>'
    ).format(WIDTH - RIGHT, HEIGHT - 8, x_title, TOP, y_title)
    parts = [head.format(WIDTH, HEIGHT, y_title, x_title), *draw_grid(x, y), *marks, titles]
    return Markup("").join([*parts, Markup("</svg>")])


def draw_grid(x: Axis, y: Axis) -> Iterator[Markup]:
    """Yield the lines and labels of both axes."""
    for value, label in y.ticks:
        yield Markup(
            '<line class="grid" x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}"/>'
            '<text x="{3}" y="{2:.1f}" dy="0.35em" text-anchor="end">{4}</text>'
        ).format(x.start, x.stop, y.place(value), x.start - 6, label)
    yield from label_below(x, HEIGHT - BOTTOM)
