"""Gopher quality rules (Rae et al. 2021, arXiv 2112.11446, A.1.1), as datatrove reads them.

T are all words of the splitter, punctuation marks included; W are those with a character that is
not punctuation. Lines are those of `str.splitlines`.
"""

import numpy as np

from pipelines.rules.batch import Batch
from pipelines.rules.own_rules import STOP_WORDS
from pipelines.rules.ratios import divide
from pipelines.words import Text, Words
from pipelines.words.character_tables import LETTER, NOT_PUNCTUATION
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

STOP_SET = make_set([hash_text(word) for word in STOP_WORDS])
HASH, DOT = ord("#"), ord(".")
DOTS, ELLIPSIS, BULLET, DASH = map(encode, ("...", "…", "•", "-"))


def annotate(batch: Batch) -> dict[str, Float64s]:
    """Return the eight values of D documents, float64 [D] each; NaN where a denominator is 0."""
    words, letters, chars, stops = sum_words(batch.words, STOP_SET)
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
        "gopher_stop_words": stops.astype(np.float64),
    }


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
def sum_words(words: Words, stop_set: Uint64s) -> Int64s:
    """Return |W|, words with a letter, characters of W and distinct stop words, int64 [4, D]."""
    sums = np.zeros((4, len(words.offsets) - 1), np.int64)
    for document in range(len(words.offsets) - 1):
        seen = np.uint64(0)
        for at in range(words.offsets[document], words.offsets[document + 1]):
            word = words.vocabulary[words.places[at]]
            sums[1, document] += word.flags & LETTER != 0
            if word.flags & NOT_PUNCTUATION:
                sums[0, document] += 1
                sums[2, document] += word.chars
                # A stop word's place in its table of at most 64 is its bit.
                slot = find_slot(stop_set, word.hash)
                if stop_set[slot] != np.uint64(0):
                    seen |= np.uint64(1) << np.uint64(slot)
        while seen:  # takes the lowest bit off, one at a time
            seen &= seen - np.uint64(1)
            sums[3, document] += 1
    return sums


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
