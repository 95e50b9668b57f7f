"""Values as they stand on a screen: visible, folded within a width, numbers always whole."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flows.database.answer import Cell, Column
from weighting.visible import show

LONGEST = 240  # characters of a text that a table shows; all of it stands in a block
NULL = "NULL"


@dataclass(frozen=True)
class Grid:
    """The texts of a result: a name and a column of texts each; `cut` texts are not all there."""

    columns: Sequence[Column]
    names: Sequence[str]
    rows: Sequence[Sequence[str]]
    cut: int = 0


def spell_for_people(number: int, column: Column) -> str:
    """Return the SQL of a column's text on a screen."""
    return f"#{number}" if column.kind == "blob" else f"CAST(#{number} AS VARCHAR)"


def make_grid(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], longest: int | None
) -> Grid:
    """Return a result's texts, those of more than `longest` characters with an ellipsis."""
    texts = [[_format(cell) for cell in row] for row in rows]
    names = [show(column.name) for column in columns]
    if longest is None:
        return Grid(columns, names, texts)
    cut = 0
    for row in texts:
        for place, column in enumerate(columns):
            if not column.is_whole and len(row[place]) > longest:
                row[place] = _shorten(row[place], longest)
                cut += 1
    return Grid(columns, names, texts, cut)


def measure(text: str) -> int:
    """Return the cells of a terminal that a text takes: an ideograph takes two, a mark none."""
    if text.isascii():
        return len(text)
    return sum(cells for _, cells in _list_characters(text))


def fold(text: str, width: int) -> list[str]:
    """Return the lines of a text, all of it, at most `width` cells each where that can be."""
    lines = []
    while text and measure(text) > width:
        end = _find_end(text, width)
        space = text.rfind(" ", 1, end + 1)
        at, behind = (space, space + 1) if space > 0 else (end, end)
        lines.append(text[:at])
        text = text[behind:]
    return [*lines, text] if text or not lines else lines


def pad(text: str, width: int, is_right: bool) -> str:
    """Return a text with the spaces that make it `width` cells."""
    spaces = " " * (width - measure(text))
    return spaces + text if is_right else text + spaces


def _find_end(text: str, width: int) -> int:
    """Return how many code points fit into a width, at least one, and no character cut."""
    if text.isascii():
        return min(len(text), width)
    end, used = 0, 0
    for character, cells in _list_characters(text):
        used += cells
        if used > width and end:
            break
        end += len(character)
    return end


def _list_characters(text: str) -> Iterator[tuple[str, int]]:
    """Yield what a reader sees as a character each, and the cells that it takes."""
    from wcwidth import iter_graphemes, wcswidth  # slow to load, and most texts do not need it

    for character in iter_graphemes(text):
        yield character, max(wcswidth(character), 0)


def _find_border(text: str, at: int) -> int:
    from flows.graphemes import find_border

    return find_border(text, at) or at


def _shorten(text: str, width: int) -> str:
    end = width - 1 if text.isascii() else _find_border(text, width - 1)
    return text[:end] + "…"


def _format(cell: Cell) -> str:
    if cell is None:
        return NULL
    text = cell.decode("utf-8", "backslashreplace") if isinstance(cell, bytes) else cell
    if text.isascii():
        return show(text)
    from flows.graphemes import set_apart

    return show(set_apart(text))
