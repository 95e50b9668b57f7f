"""How often types occur against how heavy they are, as patches of a plot on log scales."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from flows.report.charts.axes import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    Point,
    frame,
    label_powers,
    label_tens,
)
from flows.report.charts.line_charts import Series, draw_line

SHADES = 7  # of a ramp from few to much, in the style sheet


class Patch(NamedTuple):
    """A field of a plot of powers of 2: its left and low edge, its size, and what lies in it."""

    left: float
    low: float
    width: float
    height: float
    types: int
    tokens: int


def density(patches: Sequence[Patch], middle: Sequence[Point]) -> Markup:
    """Return a plot of token types by count (log2, x) and mean weight (log2, y).

    The more tokens lie in a patch, the darker it is. `middle` are points of a line over it.
    """
    left, right = min(p.left for p in patches), max(p.left + p.width for p in patches)
    low = min(-1.0, *(p.low for p in patches))
    high = max(1.0, *(p.low + p.height for p in patches))
    x = Axis(left, right, LEFT, WIDTH - RIGHT, label_tens(left, right))
    y = Axis(low, high, HEIGHT - BOTTOM, TOP, label_powers(low, high))
    most = max(p.tokens for p in patches)
    line = Series("median of each decile of the tokens by frequency", middle, 0)
    neutral = Markup('<line class="neutral" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(
        LEFT, WIDTH - RIGHT, y.place(0), y.place(0)
    )
    marks = [*(_draw_patch(p, most, x, y) for p in patches), neutral, draw_line(line, x, y)]
    return frame("occurrences of the type (log scale)", "mean weight (log scale)", x, y, marks)


def _draw_patch(patch: Patch, most: int, x: Axis, y: Axis) -> Markup:
    """Draw a patch; shades go by the root of the tokens, so that single types can be seen."""
    left, right = x.place(patch.left), x.place(patch.left + patch.width)
    top, bottom = y.place(patch.low + patch.height), y.place(patch.low)
    return Markup(
        '<rect class="s{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">'
        "<title>{:,.0f} to {:,.0f} occurrences, weight {:.2f} to {:.2f}: "
        "{:,} types, {:,} tokens</title></rect>"
    ).format(
        max(1, math.ceil(math.sqrt(patch.tokens / most) * SHADES)),
        left,
        top,
        right - left,
        bottom - top,
        2**patch.left,
        2 ** (patch.left + patch.width),
        2**patch.low,
        2 ** (patch.low + patch.height),
        patch.types,
        patch.tokens,
    )
