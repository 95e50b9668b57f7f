"""Tables for a terminal of any width: no cell is ever cut, what does not fit is told."""

import textwrap
from collections.abc import Iterator, Sequence

READABLE = 100  # columns of a line of words
GAP = 2
INDENT = 2
LEAST = 2  # columns of numbers that a table must have room for


def fit_table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], names: int, width: int | None
) -> Iterator[str]:
    """Yield the lines of a table: as many columns as fit, and a line about those that do not.

    The first `names` columns are names, set to the left. Where they and the LEAST columns after
    them do not fit, each row becomes a block of lines. `width` None is a pipe, without limit.
    """
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    shown = len(widths) if width is None else _count_fitting(widths, width)
    if shown < min(names + LEAST, len(widths)):
        yield from _stack(headings, rows, width or 1)
        return
    for cells in (headings, ["-" * size for size in widths], *rows):
        yield _join(cells[:shown], widths, names)
    if shown < len(widths):
        left_out = f"{len(widths) - shown} of {len(widths)} columns do not fit and are not shown: "
        yield from wrap(f"({left_out}{', '.join(headings[shown:])})", width)


def wrap(text: str, width: int | None) -> list[str]:
    """Return the lines of a text, of READABLE columns at most; words are left whole."""
    found = textwrap.wrap(
        text,
        max(min(width or READABLE, READABLE), INDENT + 1),
        subsequent_indent=" " * INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return found or [""]


def _count_fitting(widths: Sequence[int], width: int) -> int:
    total = -GAP
    for number, size in enumerate(widths):
        total += GAP + size
        if total > width:
            return number
    return len(widths)


def _join(cells: Sequence[str], widths: Sequence[int], names: int) -> str:
    padded = [
        f"{cell:<{size}}" if number < names else f"{cell:>{size}}"
        for number, (cell, size) in enumerate(zip(cells, widths, strict=False))
    ]
    return (" " * GAP).join(padded).rstrip()


def _stack(headings: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Yield a block a row, a line a cell; a line that is too long is the heading, then the cell."""
    size = max(map(len, headings))
    for row in rows:
        for heading, cell in zip(headings, row, strict=True):
            line = f"{heading:<{size}}  {cell}"
            yield from [line] if len(line) <= width else [heading, f"{' ' * INDENT}{cell}"]
        yield ""
