"""Histograms: of weights on a log scale, and small ones of signals."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from flows.report.charts.axes import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    frame,
    label_below,
    label_powers,
    scale,
)
from flows.report.figures import show_number, show_percent

SMALL_WIDTH, SMALL_HEIGHT, EDGE = 260, 104, 14  # of one of many charts side by side

Bin = tuple[float, float, int]


def histogram(bins: Sequence[Bin]) -> Markup:
    """Return the distribution of weights: share of the tokens by weight on a log scale.

    `bins` are (low, high, tokens). A bin from 0 has no place on a log scale; the caller says in
    words what it holds.
    """
    total = sum(tokens for _, _, tokens in bins) or 1
    drawn = _trim([item for item in bins if item[0] > 0])
    low, high = math.log2(drawn[0][0]), math.log2(drawn[-1][1])
    x = Axis(low, high, LEFT, WIDTH - RIGHT, label_powers(low, high))
    y = scale(0, 100 * max(tokens for *_, tokens in drawn) / total, HEIGHT - BOTTOM, TOP)
    marks = [_draw_bin(item, total, x, y) for item in drawn]
    neutral = Markup('<line class="neutral" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>').format(
        x.place(0), TOP, HEIGHT - BOTTOM
    )
    return frame("weight (log scale)", "% of tokens", x, y, [*marks, neutral])


def distribution(name: str, bins: Sequence[Bin], mean: float) -> Markup:
    """Return a small histogram of a signal, bins (low, high, tokens) of even width, mean marked."""
    base, most = SMALL_HEIGHT - 20, max(tokens for *_, tokens in bins) or 1
    total = sum(tokens for *_, tokens in bins) or 1
    low, high = bins[0][0], bins[-1][1]
    ticks = [tick for tick in scale(low, high, 0, 1).ticks if low <= tick[0] <= high]
    x = Axis(low, high, EDGE, SMALL_WIDTH - EDGE, ticks)
    marks = [
        Markup(
            '<rect class="spread" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">'
            "<title>{} to {} nats: {:,} tokens, {}</title></rect>"
        ).format(
            x.place(left) + 0.3,
            base - (base - 4) * tokens / most,
            max(x.place(right) - x.place(left) - 0.6, 0.5),
            (base - 4) * tokens / most,
            show_number(left),
            show_number(right),
            tokens,
            show_percent(tokens / total),
        )
        for left, right, tokens in bins
        if tokens
    ]
    head = Markup(
        '<svg class="chart small" viewBox="0 0 {0} {1}" role="img" aria-label="{2} by tokens">'
        '<line class="tick" x1="{3}" x2="{4}" y1="{5}" y2="{5}"/>'
    ).format(SMALL_WIDTH, SMALL_HEIGHT, name, EDGE, SMALL_WIDTH - EDGE, base)
    middle = Markup(
        '<line class="mean" x1="{0:.1f}" x2="{0:.1f}" y1="2" y2="{1}"><title>mean {2} nats'
        "</title></line>"
    ).format(x.place(min(max(mean, low), high)), base, show_number(mean, 2))
    return Markup("").join([head, *marks, middle, *label_below(x, base), Markup("</svg>")])


def _trim(bins: Sequence[Bin]) -> Sequence[Bin]:
    """Cut empty bins off both ends, but keep the bins around weight 1."""
    wanted = [i for i, (low, high, tokens) in enumerate(bins) if tokens or low <= 1 <= high]
    return bins[wanted[0] : wanted[-1] + 1]


def _draw_bin(item: Bin, total: int, x: Axis, y: Axis) -> Markup:
    low, high, tokens = item
    left, right = x.place(math.log2(low)), x.place(math.log2(high))
    share = 100 * tokens / total
    kind = "below" if high <= 1 else "above"
    return Markup(
        '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">'
        "<title>weight {} to {}: {:,} tokens, {}</title></rect>"
    ).format(
        kind,
        left + 0.5,
        y.place(share),
        max(right - left - 1, 0.5),
        y.place(0) - y.place(share),
        show_number(low),
        show_number(high),
        tokens,
        show_percent(tokens / total, 2),
    )
