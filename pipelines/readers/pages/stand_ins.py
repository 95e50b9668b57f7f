"""Characters that trafilatura drops, and printable ones that stand in for them meanwhile.

trafilatura 2.3.1, `utils.remove_control_characters`, drops what `str.isprintable` does not know:
formats (the zero-width joiners of Persian, of Indic scripts and of emoji, marks of direction, soft
hyphens, Arabic number signs), private-use characters, and all that is younger than Python's
tables; `utils.sanitize` drops U+2424. So each of them is replaced by a rare ideograph that the page
does not hold, and comes back in the text. Every stand-in is one letter, so lengths stay.

Control characters are dropped still, as HTML has none, and blanks become spaces. So are icons: a
private-use character alone in an element with attributes, such as `<i class="icon">`.
"""

import re
from collections.abc import Mapping
from itertools import chain

from lxml.etree import _Element

from pipelines.readers.records import RejectKind
from pipelines.readers.rows import BadRecord

SYMBOL_FOR_NEWLINE = "\u2424"
# Ideographs of extension B and Tangut: letters without case, composition or a normal form.
LETTERS = (range(0x20000, 0x2A6D7), range(0x17000, 0x187F2))

ICON = re.compile("[\ue000-\uf8ff]")
CONTROLS = frozenset((*range(9), *range(0x0E, 0x20), *range(0x7F, 0xA0)))  # but for blanks


def choose_stand_ins(characters: set[str]) -> dict[str, str]:
    """Return a stand-in for each of a page's characters that trafilatura would drop.

    Raises:
        BadRecord: `too_complex`; the page has more of them than there are stand-ins.
    """
    dropped = sorted(filter(_is_dropped, characters))
    free = (letter for letter in map(chr, chain(*LETTERS)) if letter not in characters)
    stand_ins = dict(zip(dropped, free, strict=False))
    if len(stand_ins) < len(dropped):
        message = f"{len(dropped):,} different characters that trafilatura drops"
        raise BadRecord(RejectKind.TOO_COMPLEX, message)
    return stand_ins


def put(tree: _Element, stand_ins: Mapping[str, str]) -> None:
    """Replace characters in all texts of a tree."""
    if not stand_ins:
        return  # as for most pages
    table: dict[int, str | None] = dict.fromkeys(CONTROLS)
    table.update((ord(own), letter) for own, letter in stand_ins.items())
    for element in tree.iter():
        if element.text and isinstance(element.tag, str) and not _is_icon(element):
            element.text = element.text.translate(table)
        if element.tail:
            element.tail = element.tail.translate(table)


def take_out(text: str, stand_ins: Mapping[str, str]) -> str:
    """Return a text with its own characters again."""
    return text.translate({ord(letter): own for own, letter in stand_ins.items()})


def _is_icon(element: _Element) -> bool:
    return bool(element.attrib) and ICON.fullmatch(element.text.strip()) is not None


def _is_dropped(character: str) -> bool:
    is_known = character.isprintable() or character.isspace() or ord(character) in CONTROLS
    return not is_known or character == SYMBOL_FOR_NEWLINE
