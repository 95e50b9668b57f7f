"""The normal form of a text step by step, for characters that depend on their neighbours.

Such are the capital sigma, whose small letter tells the end of a word, and marks that change places
when a text is decomposed.
"""

import re
import unicodedata
from collections.abc import Callable

import numpy as np

from pipelines.text.characters import fold, is_blank, is_dropped
from weighting.arrays import Int64s, Uint8s

SEPARATORS = ".,\u060c\u066b\u2396\u2397\u2398"  # of decimals, in several scripts
NUMBER = re.compile(rf"\d+(?:[{SEPARATORS}]\d+)?")
SPACES = re.compile(r"\s+")


def simplify(data: bytes) -> tuple[Uint8s, Int64s]:
    """Return the normal form of a text, both in UTF-8, and the source of each of its bytes.

    Sources are places in `data`; there is one more, where the source of the last byte ends. The
    text begins with a character that stays, so that there is no space to strip before it.
    """
    text = data.decode("utf-8", "surrogatepass")
    seen = np.array([not is_dropped(character) for character in text], bool)
    small = "".join(character for character in text if not is_dropped(character)).lower()
    grown = [len(character.lower()) for character in text if not is_dropped(character)]
    sources = np.repeat(np.flatnonzero(seen), grown)
    small, sources = _map(fold, small, sources)
    small, sources = _substitute(NUMBER, "0", small, sources)
    small, sources = _map(
        lambda character: " " if is_blank(character) else character, small, sources
    )
    small, sources = _substitute(SPACES, " ", small, sources)
    letters, sources = _decompose(small, sources)
    letters = letters.rstrip(" ")
    sources = np.append(sources, len(text))[: len(letters) + 1]
    starts = np.concatenate([[0], np.cumsum(_measure(text))])
    places = np.repeat(starts[sources], [*_measure(letters), 1])
    return np.frombuffer(letters.encode("utf-8", "surrogatepass"), np.uint8), places


def _map(change: Callable[[str], str], text: str, sources: Int64s) -> tuple[str, Int64s]:
    """Put what each character becomes in its place, with its source."""
    parts = [change(character) for character in text]
    return "".join(parts), np.repeat(sources, [len(part) for part in parts])


def _substitute(
    pattern: re.Pattern[str], by: str, text: str, sources: Int64s
) -> tuple[str, Int64s]:
    """Put one character for every match; its source is that of the match's first."""
    kept = np.ones(len(text), bool)
    for match in pattern.finditer(text):
        kept[match.start() + 1 : match.end()] = False
    return pattern.sub(by, text), sources[kept]


def _decompose(text: str, sources: Int64s) -> tuple[str, Int64s]:
    """Return `characters.decompose` of a text, with sources.

    Unicode's canonical ordering sorts each run of marks by their combining classes, stably.
    """
    letters, sources = _map(lambda letter: unicodedata.normalize("NFD", letter), text, sources)
    classes = np.array([unicodedata.combining(letter) for letter in letters], np.int64)
    order = np.lexsort((classes, np.cumsum(classes == 0)))
    kept = [at for at in order if not is_dropped(letters[at])]
    return "".join(letters[at] for at in kept), sources[kept]


def _measure(text: str) -> list[int]:
    """Return the bytes of each character."""
    return [len(character.encode("utf-8", "surrogatepass")) for character in text]
