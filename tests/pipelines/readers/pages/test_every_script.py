"""Characters of every part of Unicode, each alone in an element, come through both extractors.

HTML itself has no controls, surrogates and noncharacters, and blanks collapse; so those are left
out. trafilatura composes what it gives (NFC), and the expected texts are composed too.
"""

import random
import re
import unicodedata
from collections.abc import Iterator

import pytest

from pipelines.readers.pages.extract import extract_text

EXTRACTORS = ["resiliparse", "trafilatura"]
# What is put around all of a page's items, an item with its number and its character, what is left
CONTEXTS = [
    ("{}", "<p>{} one<b>{}</b>two</p>", "one{}two"),
    ("{}", "<p>{} 昔々<i>{}</i>寺院</p>", "昔々{}寺院"),
    ("{}", "<p>{}</p><p>{}</p>", "{}"),
    ("<table>{}</table>", "<tr><td>{}</td><td>{}</td></tr>", "{}"),
    ("<ul>{}</ul>", "<li>{} <span>{}</span></li>", "{}"),
]
A_PAGE = 100  # characters
PLANES = [*range(0x40000), *range(0xE0000, 0x110000)]  # the others hold no character
BEFORE = "The kettle sings for a while before anyone gets up to pour the tea. " * 5
AFTER = "It is cold by the time that somebody remembers the cups on the table. " * 5


def is_text(character: str) -> bool:
    is_noncharacter = ord(character) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(character) <= 0xFDEF
    is_blank = unicodedata.category(character) in ("Zs", "Zl", "Zp")
    return not (is_noncharacter or is_blank or unicodedata.category(character) in ("Cc", "Cs"))


def draw(seed: int, run: int) -> list[str]:
    """One character of every `run` code points beyond ASCII, which every block has."""
    chance = random.Random(seed)
    runs = [PLANES[at : at + run] for at in range(128, len(PLANES), run)]
    texts = [[char for char in map(chr, codes) if is_text(char)] for codes in runs]
    return [chance.choice(found) for found in texts if found]


def lose(extractor: str, characters: list[str], context: tuple[str, str, str]) -> Iterator[str]:
    """Yield the characters that do not come through in a context."""
    around, item, left = context
    for start in range(0, len(characters), A_PAGE):
        page = characters[start : start + A_PAGE]
        items = "".join(item.format(f"x{at}x", char) for at, char in enumerate(page))
        html = f"<article><p>{BEFORE}</p>{around.format(items)}<p>{AFTER}</p></article>"
        text = extract_text(f"<html><body>{html}</body></html>", extractor).replace(
            AFTER.strip(), ""
        )
        parts = re.split(r"x\d+x", text)[1:]
        assert len(parts) == len(page)
        for char, part in zip(page, parts, strict=True):
            found, wanted = "".join(part.split()).strip("|-•"), left.format(char)
            if unicodedata.normalize("NFC", found) != unicodedata.normalize("NFC", wanted):
                yield char


@pytest.mark.parametrize("extractor", EXTRACTORS)
@pytest.mark.parametrize("context", CONTEXTS)
def test_a_character_of_every_script_is_kept(context, extractor):
    assert list(lose(extractor, draw(1, 512), context)) == []


@pytest.mark.slow
@pytest.mark.parametrize("extractor", EXTRACTORS)
@pytest.mark.parametrize("context", CONTEXTS)
def test_a_character_of_every_block_is_kept(context, extractor):
    assert list(lose(extractor, draw(2, 16), context)) == []
