"""Which tokens of a sample are words, or parts of words, in any script."""

import re
from collections.abc import Sequence

import numpy as np

from flows.mentions import UNSPACED, sort_character
from flows.report.tokens.sidecars import Vocabulary
from flows.report.tokens.token_sample import Sample, show_texts
from weighting.arrays import Bools

WORD = re.compile(rb"\x01{2,}")


def find_letters(sample: Sample, vocabulary: Vocabulary) -> Bools:
    """Return which of N tokens hold a letter, or are part of one, bool [N]."""
    found = []
    for number, shown in enumerate(show_texts(sample, vocabulary)):
        text, first = sample.texts[number], int(sample.offsets_D1[number])
        starts = sample.starts_N[first : first + len(shown)].tolist()
        found += [
            any(map(sort_character, piece or text[start : start + 1]))
            for piece, start in zip(shown, starts, strict=True)
        ]
    return np.array(found, np.bool_)


def find_words(sample: Sample, vocabulary: Vocabulary) -> Bools:
    """Return which of N tokens are a whole word of two letters or more, bool [N].

    In scripts without spaces that is a token of letters only.
    """
    found: list[bool] = []
    for number, shown in enumerate(show_texts(sample, vocabulary)):
        first = int(sample.offsets_D1[number])
        starts = sample.starts_N[first : first + len(shown)].tolist()
        found += _find_in(sample.texts[number], shown, starts)
    return np.array(found, np.bool_)


def _find_in(text: str, shown: Sequence[str], starts: Sequence[int]) -> list[bool]:
    kinds = bytes(map(sort_character, text))
    words = {match.span() for match in WORD.finditer(kinds)}
    found = []
    for piece, start in zip(shown, starts, strict=True):
        begin, end = start + len(piece) - len(piece.lstrip()), start + len(piece)
        unspaced = kinds[begin:end].count(UNSPACED)
        found.append((begin, end) in words or 0 < unspaced == end - begin)
    return found
