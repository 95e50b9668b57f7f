"""FineWeb quality rules (Penedo et al. 2024, arXiv 2406.17557, 3.6), as datatrove reads them.

Lines are split at newlines and those of white space are left out. Where the line rules of C4 edit
the text these rules see what they leave.
"""

import numpy as np

from pipelines.languages.writing import UNENDED
from pipelines.rules.batch import Batch
from pipelines.rules.own_rules import SHORT
from pipelines.rules.ratios import divide
from pipelines.words import Text
from pipelines.words.compiled import njit
from pipelines.words.hashing import find_slot, hash_bytes, hash_text, make_set
from pipelines.words.punctuation import TERMINATORS
from pipelines.words.text_lines import NEWLINE, count_chars, ends_in, strip_left
from weighting.arrays import Float64s, Int64s, Uint64s

ENDINGS = make_set([hash_text(mark) for mark in TERMINATORS])


def annotate(batch: Batch) -> dict[str, Float64s]:
    """Return the four values of D documents, float64 [D] each; NaN where a denominator is 0.

    That of punctuation is NaN as well in languages without marks at the ends of sentences.
    """
    ended, short, repeated, lines, newlines, chars = sum_lines(batch.late_text, ENDINGS)
    ended_D = np.where(batch.is_in(UNENDED), np.nan, divide(ended, lines))
    return {
        "fineweb_line_punctuation": ended_D,
        "fineweb_short_lines": divide(short, lines),
        "fineweb_dup_line_chars": divide(repeated, chars),
        "fineweb_newlines": divide(newlines, batch.late_word_counts),
    }


@njit
def sum_lines(text: Text, endings: Uint64s) -> Int64s:
    """Return sums over the lines of D texts, int64 [6, D].

    Lines that end a sentence, short lines, characters in repeated lines, lines, newlines, and
    characters other than newlines.
    """
    sums = np.zeros((6, len(text.offsets) - 1), np.int64)
    for document in range(len(text.offsets) - 1):
        at, stop = text.offsets[document], text.offsets[document + 1]
        newlines = np.count_nonzero(text.data[at:stop] == NEWLINE)
        size = 16  # a power of two, at most half full: one line more than newlines
        while size < 2 * (newlines + 2):
            size *= 2
        seen = np.zeros(size, np.uint64)
        sums[4, document] = newlines
        while at < stop:
            end = at
            while end < stop and text.data[end] != NEWLINE:
                end += 1
            chars = count_chars(text.data, at, end)
            sums[5, document] += chars
            if strip_left(text.data, at, end) < end:
                sums[0, document] += ends_in(text.data, at, end, endings)
                sums[1, document] += chars <= SHORT
                key = hash_bytes(text.data, at, end)
                slot = find_slot(seen, key)
                sums[2, document] += chars * (seen[slot] != np.uint64(0))
                seen[slot] = key
                sums[3, document] += 1
            at = end + 1
    return sums
