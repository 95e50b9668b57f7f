"""Lines on common axes, such as the loss curves of several arms."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from flows.report.charts.axes import (
    BOTTOM,
    HEIGHT,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    Point,
    find_left,
    frame,
    scale,
)

COLOURS = 8  # of lines, in the style sheet; from there on they repeat


class Series(NamedTuple):
    """One line: its points in order of x and its colour, a number from 0.

    A thin line stands behind the others and does not widen the axes: what of it lies outside is
    not drawn. A dotted one has a mark at each point.
    """

    name: str
    points: Sequence[Point]
    colour: int
    thin: bool = False
    dotted: bool = False


def lines(series: Sequence[Series], x_title: str, y_title: str) -> Markup:
    """Return a line chart of several series; at least one that is not thin has points."""
    drawn = sorted((one for one in series if one.points), key=lambda one: not one.thin)
    xs, ys = zip(*(point for one in drawn if not one.thin for point in one.points), strict=True)
    y = scale(min(ys), max(ys), HEIGHT - BOTTOM, TOP)
    x = scale(min(xs), max(xs), find_left(y.ticks), WIDTH - RIGHT)
    box = Markup(
        'x="{0:.1f}" y="{1}" width="{2:.1f}" height="{3}" viewBox="{0:.1f} {1} {2:.1f} {3}"'
    )
    marks = Markup("").join(draw_line(one, x, y) for one in drawn)
    plot = Markup("<svg {}>{}</svg>").format(
        box.format(x.start, TOP, x.stop - x.start, y.start - y.stop), marks
    )
    return frame(x_title, y_title, x, y, [plot])


def draw_line(series: Series, x: Axis, y: Axis) -> Markup:
    """Return a line with its name as title, and its marks."""
    places = [(x.place(a), y.place(b)) for a, b in series.points]
    colour, thin = series.colour % COLOURS, " thin" if series.thin else ""
    line = Markup('<polyline class="line c{}{}" points="{}"><title>{}</title></polyline>').format(
        colour, thin, " ".join(f"{a:.1f},{b:.1f}" for a, b in places), series.name
    )
    dots = [
        Markup('<circle class="dot c{}" cx="{:.1f}" cy="{:.1f}" r="3"/>').format(colour, a, b)
        for a, b in places
        if series.dotted
    ]
    return Markup("").join([line, *dots])
