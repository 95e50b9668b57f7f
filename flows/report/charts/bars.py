"""Horizontal bars that fill a cell of a table."""

from collections.abc import Sequence

from markupsafe import Markup


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
