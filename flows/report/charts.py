"""Charts as small inline SVG. Colours and type come from the page's CSS, so they follow its theme.

A chart is drawn on a canvas narrow enough to be read on a phone at its natural size. Every mark
has a title, which browsers show on hover and screen readers read.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup

WIDTH, HEIGHT = 400, 250
LEFT, RIGHT, TOP, BOTTOM = 52, 24, 12, 46  # room for the labels around the plot
STEPS = (1, 2, 5, 10)
FLAT = 1e-9  # data that differ by less of their size get an axis of that size
COLOURS = 5  # of lines, in the style sheet; from there on they repeat
SMALL_WIDTH, SMALL_HEIGHT, EDGE = 260, 104, 14  # of one of many charts side by side
SHADES = 7  # of a ramp from few to much, in the style sheet
FRACTIONS = {-6: "1/64", -5: "1/32", -4: "1/16", -3: "⅛", -2: "¼", -1: "½"}  # powers of 2

Point = tuple[float, float]
Bin = tuple[float, float, int]


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


class Patch(NamedTuple):
    """A field of a plot of powers of 2: its left and low edge, its size, and what lies in it."""

    left: float
    low: float
    width: float
    height: float
    types: int
    tokens: int


class Series(NamedTuple):
    """One line: its points in order of x, its colour (a number from 0), thin or not."""

    name: str
    points: Sequence[Point]
    colour: int
    thin: bool = False


def bar(share: float, kind: str) -> Markup:
    """Return a horizontal bar that fills `share` of its cell; what is not 0 can be seen."""
    width = max(0.5, 100 * min(share, 1)) if share > 0 else 0
    return Markup(
        '<svg class="bar" aria-hidden="true"><rect width="{:.2f}%" height="100%" class="{}"/></svg>'
    ).format(width, kind)


def bars(parts: Sequence[tuple[int, str]], whole: int) -> Markup:
    """Return one bar of several (amount, kind) side by side, each as its share of `whole`."""
    marks, left = [], 0.0
    for amount, kind in parts:
        width = 100 * amount / whole if whole else 0.0
        marks.append(
            Markup('<rect x="{:.2f}%" width="{:.2f}%" height="100%" class="{}"/>').format(
                left, max(0.5, width) if amount else 0.0, kind
            )
        )
        left += width
    return Markup('<svg class="bar" aria-hidden="true">{}</svg>').format(Markup("").join(marks))


def histogram(bins: Sequence[Bin]) -> Markup:
    """Return the distribution of weights: share of the tokens by weight on a log scale.

    `bins` are (low, high, tokens). A bin from 0 has no place on a log scale; the caller says in
    words what it holds.
    """
    total = sum(tokens for _, _, tokens in bins) or 1
    drawn = _trim([item for item in bins if item[0] > 0])
    low, high = math.log2(drawn[0][0]), math.log2(drawn[-1][1])
    x = Axis(low, high, LEFT, WIDTH - RIGHT, _label_powers(low, high))
    y = scale(0, 100 * max(tokens for *_, tokens in drawn) / total, HEIGHT - BOTTOM, TOP)
    marks = [_draw_bin(item, total, x, y) for item in drawn]
    neutral = Markup('<line class="neutral" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>').format(
        x.place(0), TOP, HEIGHT - BOTTOM
    )
    return _frame("weight (log scale)", "% of tokens", x, y, [*marks, neutral])


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
            "<title>{:g} to {:g} nats: {:,} tokens, {:.1f} %</title></rect>"
        ).format(
            x.place(left) + 0.3,
            base - (base - 4) * tokens / most,
            max(x.place(right) - x.place(left) - 0.6, 0.5),
            (base - 4) * tokens / most,
            left,
            right,
            tokens,
            100 * tokens / total,
        )
        for left, right, tokens in bins
        if tokens
    ]
    head = Markup(
        '<svg class="chart small" viewBox="0 0 {0} {1}" role="img" aria-label="{2} by tokens">'
        '<line class="tick" x1="{3}" x2="{4}" y1="{5}" y2="{5}"/>'
    ).format(SMALL_WIDTH, SMALL_HEIGHT, name, EDGE, SMALL_WIDTH - EDGE, base)
    middle = Markup(
        '<line class="mean" x1="{0:.1f}" x2="{0:.1f}" y1="2" y2="{1}"><title>mean {2:.2f} nats'
        "</title></line>"
    ).format(x.place(min(max(mean, low), high)), base, mean)
    return Markup("").join([head, *marks, middle, *_label(x, base), Markup("</svg>")])


def density(patches: Sequence[Patch], middle: Sequence[Point]) -> Markup:
    """Return a plot of token types by count (log2, x) and mean weight (log2, y).

    The more tokens lie in a patch, the darker it is. `middle` are points of a line over it.
    """
    left, right = min(p.left for p in patches), max(p.left + p.width for p in patches)
    low = min(-1.0, *(p.low for p in patches))
    high = max(1.0, *(p.low + p.height for p in patches))
    x = Axis(left, right, LEFT, WIDTH - RIGHT, _label_powers(left, right, 6))
    y = Axis(low, high, HEIGHT - BOTTOM, TOP, _label_powers(low, high))
    most = max(p.tokens for p in patches)
    line = Series("median of each decile of the tokens by frequency", middle, 0)
    neutral = Markup('<line class="neutral" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(
        LEFT, WIDTH - RIGHT, y.place(0), y.place(0)
    )
    marks = [*(_draw_patch(p, most, x, y) for p in patches), neutral, _draw_line(line, x, y)]
    return _frame("occurrences of the type (log scale)", "mean weight (log scale)", x, y, marks)


def lines(series: Sequence[Series], x_title: str, y_title: str) -> Markup:
    """Return line charts of several series on common axes; at least one of them has points."""
    xs, ys = zip(*(point for one in series for point in one.points), strict=True)
    x = scale(min(xs), max(xs), LEFT, WIDTH - RIGHT)
    y = scale(min(ys), max(ys), HEIGHT - BOTTOM, TOP)
    return _frame(x_title, y_title, x, y, [_draw_line(one, x, y) for one in series if one.points])


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


def _trim(bins: Sequence[Bin]) -> Sequence[Bin]:
    """Cut empty bins off both ends, but keep the bins around weight 1."""
    wanted = [i for i, (low, high, tokens) in enumerate(bins) if tokens or low <= 1 <= high]
    return bins[wanted[0] : wanted[-1] + 1]


def _label_powers(low: float, high: float, most: int = 14) -> list[tuple[float, str]]:
    """Return ticks at powers of 2, at most so many, evenly apart."""
    powers = range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)
    return [
        (power, FRACTIONS.get(power, _abbreviate(2.0**power)))
        for power in powers[:: -(-len(powers) // most) or 1]
    ]


def _abbreviate(value: float) -> str:
    """Return a power of 2 in few characters: 512, 16k, 2M."""
    power = min(int(math.log2(value)) // 10, 3) if value >= 1 else 0
    return f"{value / 1024**power:g}{('', 'k', 'M', 'G')[power]}"


def _draw_bin(item: Bin, total: int, x: Axis, y: Axis) -> Markup:
    low, high, tokens = item
    left, right = x.place(math.log2(low)), x.place(math.log2(high))
    share = 100 * tokens / total
    kind = "below" if high <= 1 else "above"
    return Markup(
        '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">'
        "<title>weight {:.3g} to {:.3g}: {:,} tokens, {:.2f} %</title></rect>"
    ).format(
        kind,
        left + 0.5,
        y.place(share),
        max(right - left - 1, 0.5),
        y.place(0) - y.place(share),
        low,
        high,
        tokens,
        share,
    )


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


def _label(x: Axis, base: float) -> Iterator[Markup]:
    for value, label in x.ticks:
        yield Markup(
            '<line class="tick" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>'
            '<text x="{0:.1f}" y="{3}" text-anchor="middle">{4}</text>'
        ).format(x.place(value), base, base + 4, base + 17, label)


def _draw_line(series: Series, x: Axis, y: Axis) -> Markup:
    points = " ".join(f"{x.place(a):.1f},{y.place(b):.1f}" for a, b in series.points)
    thin = " thin" if series.thin else ""
    return Markup('<polyline class="line c{}{}" points="{}"><title>{}</title></polyline>').format(
        series.colour % COLOURS, thin, points, series.name
    )


def _frame(x_title: str, y_title: str, x: Axis, y: Axis, marks: Sequence[Markup]) -> Markup:
    """Return the SVG: grid, axes with labels and titles, and the marks."""
    head = Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{} by {}">')
    titles = Markup(
        '<text class="title" x="{}" y="{}" text-anchor="end">{}</text>'
        '<text class="title" transform="translate(12 {}) rotate(-90)" text-anchor="end">{}</text>'
    ).format(WIDTH - RIGHT, HEIGHT - 8, x_title, TOP, y_title)
    parts = [head.format(WIDTH, HEIGHT, y_title, x_title), *_draw_grid(x, y), *marks, titles]
    return Markup("").join([*parts, Markup("</svg>")])


def _draw_grid(x: Axis, y: Axis) -> Iterator[Markup]:
    for value, label in y.ticks:
        yield Markup(
            '<line class="grid" x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}"/>'
            '<text x="{3}" y="{2:.1f}" dy="0.35em" text-anchor="end">{4}</text>'
        ).format(LEFT, WIDTH - RIGHT, y.place(value), LEFT - 6, label)
    yield from _label(x, HEIGHT - BOTTOM)
