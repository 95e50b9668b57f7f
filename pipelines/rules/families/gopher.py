"""Gopher quality rules (Rae et al. 2021, arXiv 2112.11446, A.1.1), as datatrove reads them.

T are all words of the splitter, punctuation marks included; W are those with a character that is
not punctuation. Lines are those of `str.splitlines`. In languages other than English W leaves out
the punctuation marks of all scripts, and stop words are those of the language.
"""

import numpy as np

from pipelines.languages.published import find_stop_words
from pipelines.languages.writing import ENGLISH
from pipelines.rules.batch import Batch
from pipelines.rules.ratios import divide
from pipelines.words import Text, Words
from pipelines.words.character_tables import LETTER, NOT_PUNCTUATION, UNICODE_PUNCTUATION
from pipelines.words.compiled import njit
from pipelines.words.hashing import find_slot, hash_text, make_set
from pipelines.words.text_lines import (
    break_size,
    encode,
    ends_with,
    find_break,
    matches,
    strip_left,
    strip_right,
)
from weighting.arrays import Float64s, Int64s, Uint8s, Uint64s

HASH, DOT = ord("#"), ord(".")
DOTS, ELLIPSIS, BULLET, DASH = map(encode, ("...", "…", "•", "-"))


def annotate(batch: Batch) -> dict[str, Float64s]:
    """Return the eight values of D documents, float64 [D] each; NaN where a denominator is 0.

    That of stop words is NaN where there is no list for the language.
    """
    (words, letters, chars), stops_D = _sum_words(batch)
    all_D = batch.words.counts_D
    bullets, trailing, lines = count_lines(
        batch.text.data, batch.text.offsets, DOTS, ELLIPSIS, BULLET, DASH
    )
    hashes, ellipses = count_symbols(batch.text)
    return {
        "gopher_words": words.astype(np.float64),
        "gopher_mean_word_length": divide(chars, words),
        "gopher_hashes": divide(hashes, all_D),
        "gopher_ellipses": divide(ellipses, all_D),
        "gopher_bullet_lines": divide(bullets, lines),
        "gopher_ellipsis_lines": divide(trailing, lines),
        "gopher_alphabetic": divide(letters, all_D),
        "gopher_stop_words": stops_D,
    }


def _sum_words(batch: Batch) -> tuple[Int64s, Float64s]:
    """Return |W|, words with a letter and characters of W, int64 [3, D]; distinct stop words [D].

    Language by language, each with its stop words.
    """
    sums = np.zeros((4, len(batch.texts_D)), np.int64)
    stops_D = np.full(len(batch.texts_D), np.nan)
    languages_D = np.array(batch.judged_as_D, object)
    for language in sorted(set(batch.judged_as_D)):
        texts = np.flatnonzero(languages_D == language)
        stop_words = find_stop_words(language)
        stop_set = make_set([hash_text(word) for word in stop_words])
        marks = 0 if language == ENGLISH else UNICODE_PUNCTUATION
        sum_words(batch.words, texts, stop_set, marks, sums)
        if stop_words:
            stops_D[texts] = sums[3, texts]
    return sums[:3], stops_D


@njit
def count_symbols(text: Text) -> Int64s:
    """Return "#" signs and ellipses ("..." without overlap, and "…") of D texts, int64 [2, D]."""
    sums = np.zeros((2, len(text.offsets) - 1), np.int64)
    for document in range(len(text.offsets) - 1):
        dots = 0
        for at in range(text.offsets[document], text.offsets[document + 1]):
            byte = text.data[at]
            dots = dots + 1 if byte == DOT else 0
            sums[0, document] += byte == HASH
            # The last byte of an ellipsis follows two others of its own.
            sign = byte == 0xA6 and text.data[at - 1] == 0x80 and text.data[at - 2] == 0xE2
            sums[1, document] += sign or dots == 3
            if dots == 3:
                dots = 0
    return sums


@njit
def sum_words(words: Words, texts: Int64s, stop_set: Uint64s, marks: int, sums_4xD: Int64s) -> None:
    """Write |W|, words with a letter, characters of W and distinct stop words of some texts.

    W leaves out words with one of the flags `marks`, too.
    """
    sums = sums_4xD
    seen = np.zeros(len(stop_set), np.bool_)  # at a stop word's place in its table
    for document in texts:
        seen[:] = False
        for at in range(words.offsets[document], words.offsets[document + 1]):
            word = words.vocabulary[words.places[at]]
            sums[1, document] += word.flags & LETTER != 0
            if word.flags & NOT_PUNCTUATION and not word.flags & marks:
                sums[0, document] += 1
                sums[2, document] += word.chars
                slot = find_slot(stop_set, word.hash)
                if stop_set[slot] != np.uint64(0) and not seen[slot]:
                    seen[slot] = True
                    sums[3, document] += 1


@njit
def count_lines(
    data: Uint8s,
    offsets: Int64s,
    dots: Uint8s,
    ellipsis: Uint8s,
    bullet: Uint8s,
    dash: Uint8s,
) -> Int64s:
    """Return lines with a bullet, lines that end in an ellipsis, and all lines, int64 [3, D]."""
    sums = np.zeros((3, len(offsets) - 1), np.int64)
    for document in range(len(offsets) - 1):
        start, stop = offsets[document], offsets[document + 1]
        while start < stop:
            end = find_break(data, start, stop)
            left, right = strip_left(data, start, end), strip_right(data, start, end)
            sums[0, document] += matches(data, left, end, bullet) or matches(data, left, end, dash)
            sums[1, document] += ends_with(data, start, right, dots) or ends_with(
                data, start, right, ellipsis
            )
            sums[2, document] += 1
            start = end + break_size(data, end, stop) if end < stop else stop
    return sums
