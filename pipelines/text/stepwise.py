"""The normal form of a text step by step, for characters that depend on their neighbours.

Such are the capital sigma, whose small letter tells the end of a word, and the few marks that stay
although they may change places when a text is decomposed.
"""

import re
import unicodedata

import numpy as np

from pipelines.words.punctuation import MARKS
from weighting.arrays import Int64s, Uint8s

SEPARATORS = ".,\u060c\u066b\u2396\u2397\u2398"  # of decimals, in several scripts
NUMBER = re.compile(rf"\d+(?:[{SEPARATORS}]\d+)?")
MARK = re.compile(f"[{re.escape(''.join(sorted(MARKS)))}!.?\u3002\uff01\uff0e\uff1f]")
SPACES = re.compile(r"\s+")


def simplify(data: bytes) -> tuple[Uint8s, Int64s]:
    """Return the normal form of a text, both in UTF-8, and the source of each of its bytes.

    Sources are places in `data`; there is one more, where the source of the last byte ends. The
    text begins with a character that stays, so that there is no space to strip before it.
    """
    text = data.decode("utf-8", "surrogatepass")
    sources = np.repeat(np.arange(len(text)), [len(character.lower()) for character in text])
    small, sources = _substitute(NUMBER, "0", text.lower(), sources)
    small, sources = _substitute(SPACES, " ", MARK.sub(" ", small), sources)
    letters, sources = _decompose(small, sources)
    letters = letters.rstrip(" ")
    sources = np.append(sources, len(text))[: len(letters) + 1]
    starts = np.concatenate([[0], np.cumsum(_measure(text))])
    places = np.repeat(starts[sources], [*_measure(letters), 1])
    return np.frombuffer(letters.encode("utf-8", "surrogatepass"), np.uint8), places


def drop_marks(text: str) -> str:
    """Return a text decomposed (NFD), without its non-spacing marks."""
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(c for c in decomposed if unicodedata.category(c) != "Mn")


def is_reordered(text: str) -> bool:
    """Say whether a character of a text may, decomposed, change places with another and stays."""
    return any(unicodedata.combining(character) for character in drop_marks(text))


def _substitute(
    pattern: re.Pattern[str], by: str, text: str, sources: Int64s
) -> tuple[str, Int64s]:
    """Put one character for every match; its source is that of the match's first."""
    kept = np.ones(len(text), bool)
    for match in pattern.finditer(text):
        kept[match.start() + 1 : match.end()] = False
    return pattern.sub(by, text), sources[kept]


def _decompose(text: str, sources: Int64s) -> tuple[str, Int64s]:
    """Return `drop_marks` of a text, with sources.

    Unicode's canonical ordering sorts each run of marks by their combining classes, stably.
    """
    parts = [unicodedata.normalize("NFD", character) for character in text]
    letters = "".join(parts)
    sources = np.repeat(sources, [len(part) for part in parts])
    classes = np.array([unicodedata.combining(letter) for letter in letters], np.int64)
    order = np.lexsort((classes, np.cumsum(classes == 0)))
    kept = [at for at in order if unicodedata.category(letters[at]) != "Mn"]
    return "".join(letters[at] for at in kept), sources[kept]


def _measure(text: str) -> list[int]:
    """Return the bytes of each character."""
    return [len(character.encode("utf-8", "surrogatepass")) for character in text]
