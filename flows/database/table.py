"""A result drawn as a table, or a block a row.

Columns that do not fit are left out and counted. Numbers, times and identifiers are whole or not
there; texts fold over lines.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flows.database.cells import NULL, Grid, fold, measure, pad

TEXT_WIDTH = 12  # cells that a column of texts gets at least, if it has so many
NAME_WIDTH = 10  # likewise a column's name, which folds as a text does
FRAME = 3  # cells between two columns
MORE = "…"  # stands for the columns that are not shown


@dataclass(frozen=True)
class Style:
    """How lines are drawn: corners and crossings of each rule, and what marks names and NULL."""

    top: str = "┏━┳┓"
    head: str = "┃┃"
    under: str = "┡━╇┩"
    body: str = "││"
    between: str = "├─┼┤"
    bottom: str = "└─┴┘"
    name: tuple[str, str] = ("", "")
    null: tuple[str, str] = ("", "")


ASCII = Style("+-++", "||", "+=++", "||", "+-++", "+-++")
BOLD, DIM, PLAIN = "\x1b[1m", "\x1b[2;3m", "\x1b[0m"


def choose_columns(grid: Grid, width: int | None) -> list[int]:
    """Return the widths of the first columns, as many as fit: none where the first does not."""
    natural = [
        max(map(measure, (name, *(row[place] for row in grid.rows))))
        for place, name in enumerate(grid.names)
    ]
    if width is None:
        return natural
    least = [_find_least(place, widest, grid) for place, widest in enumerate(natural)]
    number = _count_fitting(least, width)
    if number < len(least):
        number = _count_fitting(least, width - FRAME - 1)  # room for what says that there are more
    if not number:
        return []
    room = width - 1 - FRAME * number - (FRAME + 1 if number < len(least) else 0)
    return _share_out(least[:number], natural[:number], room)


def draw_table(grid: Grid, widths: Sequence[int], style: Style) -> Iterator[str]:
    """Yield the lines of a table of the first columns, as many as there are widths."""
    number = len(widths)
    is_all = number == len(grid.names)
    spans = [*widths] if is_all else [*widths, 1]
    heads = [fold(name, width) for name, width in zip(grid.names, widths, strict=False)]
    bodies = [
        [_fold_cell(grid, row, place, width) for place, width in enumerate(widths)]
        for row in grid.rows
    ]
    more = [] if is_all else [[MORE]]
    is_folded = any(len(cell) > 1 for body in bodies for cell in body)
    yield _rule(spans, style.top)
    yield from _lines(grid, [*heads, *more], spans, style.head, [style.name] * len(spans))
    yield _rule(spans, style.under)
    for row, body in zip(grid.rows, bodies, strict=True):
        if is_folded and body is not bodies[0]:
            yield _rule(spans, style.between)
        marks = [style.null if text == NULL else ("", "") for text in row[:number]]
        yield from _lines(grid, [*body, *more], spans, style.body, [*marks, ("", "")])
    yield _rule(spans, style.bottom)


def draw_blocks(grid: Grid, width: int | None, style: Style) -> Iterator[str]:
    """Yield the lines of a block for each row, of a line or more for each column."""
    line = style.bottom[1]
    longest = max(map(measure, grid.names))
    for number, row in enumerate(grid.rows, 1):
        yield f"{line} row {number} {line * 20}"
        for place, (name, text) in enumerate(zip(grid.names, row, strict=True)):
            room = None if width is None or grid.columns[place].is_whole else width - longest - 2
            lines = [text] if room is None else fold(text, max(room, TEXT_WIDTH))
            mark = style.null if text == NULL else ("", "")
            head = f"{style.name[0]}{pad(name, longest, is_right=False)}{style.name[1]}"
            yield f"{head}  {mark[0]}{lines[0]}{mark[1]}".rstrip()
            yield from (f"{' ' * longest}  {rest}".rstrip() for rest in lines[1:])


def _find_least(place: int, natural: int, grid: Grid) -> int:
    """Return the width that a column needs: that of its numbers, less than that of its texts."""
    if not grid.columns[place].is_whole:
        return min(natural, TEXT_WIDTH)
    longest = max((measure(row[place]) for row in grid.rows), default=0)
    return max(longest, min(measure(grid.names[place]), NAME_WIDTH))


def _count_fitting(widths: Sequence[int], room: int) -> int:
    used, number = 1, 0
    for width in widths:
        used += width + FRAME
        if used > room:
            break
        number += 1
    return number


def _share_out(least: list[int], natural: list[int], room: int) -> list[int]:
    """Return widths from `least` up to `natural` that take all the room, the narrowest first."""
    widths = [*least]
    spare = room - sum(widths)
    while spare > 0:
        short = [place for place, width in enumerate(widths) if width < natural[place]]
        if not short:
            break
        widths[min(short, key=widths.__getitem__)] += 1
        spare -= 1
    return widths


def _fold_cell(grid: Grid, row: Sequence[str], place: int, width: int) -> list[str]:
    return [row[place]] if grid.columns[place].is_whole else fold(row[place], width)


def _rule(widths: Sequence[int], corners: str) -> str:
    left, line, crossing, right = list(corners)
    return left + crossing.join(line * (width + 2) for width in widths) + right


def _lines(
    grid: Grid,
    cells: Sequence[Sequence[str]],
    widths: Sequence[int],
    edges: str,
    marks: Sequence[tuple[str, str]],
) -> Iterator[str]:
    """Yield the lines of one row, as many as its longest cell has."""
    outer, inner = list(edges)
    numbers = [column.is_number for column in grid.columns]
    for number in range(max(map(len, cells))):
        parts = []
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True)):
            text = cell[number] if number < len(cell) else ""
            padded = pad(text, width, numbers[place] if place < len(numbers) else False)
            parts.append(f" {marks[place][0]}{padded}{marks[place][1]} ")
        yield outer + inner.join(parts) + outer
