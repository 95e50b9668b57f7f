"""Kernels: the words and sentences of lines, as spaCy's rule-based sentencizer counts them.

A sentence ends after a sentence mark and all punctuation that follows it. So one is counted when
the first word comes that is no punctuation, or when the line ends:

    He  said  :  "  No  !  "  Then  he  left  .
                        ^ ends     ^ counted: 1      end of line: 2
"""

import numpy as np

from pipelines.rules.line_pieces import Pieces
from pipelines.words import Text, Words
from pipelines.words.character_tables import ENDS_SENTENCE, UNICODE_PUNCTUATION
from pipelines.words.compiled import njit
from pipelines.words.text_lines import NEWLINE
from weighting.arrays import Int64s, Uint8s

SPACE = ord(" ")
SPLIT_AGAIN = -1  # instead of a number of words


@njit
def list_lines(text: Text) -> Pieces:
    """Return the lines of D texts, ended by newlines, as pieces."""
    rows = np.empty((np.count_nonzero(text.data == NEWLINE) + len(text.offsets), 3), np.int64)
    offsets, size = np.zeros(len(text.offsets), np.int64), 0
    for document in range(len(text.offsets) - 1):
        at, stop = text.offsets[document], text.offsets[document + 1]
        while at < stop:
            end = at
            while end < stop and text.data[end] != NEWLINE:
                end += 1
            rows[size] = at, end, 1
            size, at = size + 1, end + 1
        offsets[document + 1] = size
    return Pieces(rows[:size], offsets)


@njit
def is_space_word(data: Uint8s, start: int, end: int, first: bool) -> bool:
    """Say whether spaCy makes a word of the white space in bytes [start, end).

    One blank after a word belongs to it.
    """
    return end > start and (first or end - start > 1 or data[start] != SPACE)


@njit
def count_sentences(text: Text, words: Words, lines: Pieces) -> Int64s:
    """Return the words and sentences in the given lines of D texts, int64 [2, D].

    A text with a line in several pieces has SPLIT_AGAIN words: its words may have been joined.
    """
    counts = np.zeros((2, len(text.offsets) - 1), np.int64)
    chunk, word = 0, 0  # lines, chunks and words are all in the order of the texts' bytes
    for document in range(len(text.offsets) - 1):
        for line in range(lines.offsets_D1[document], lines.offsets_D1[document + 1]):
            start, end, begins = lines.rows_Px3[line]
            if not begins and line > lines.offsets_D1[document]:
                counts[0, document] = SPLIT_AGAIN
                break
            while chunk < len(words.chunk_starts) and words.chunk_starts[chunk] < start:
                word, chunk = word + words.chunk_words[chunk], chunk + 1
            before, sentences, ended, at = word, end > start, False, start
            while chunk < len(words.chunk_starts) and words.chunk_starts[chunk] < end:
                # White space that is a word is no punctuation: it begins the next sentence.
                if ended and is_space_word(text.data, at, words.chunk_starts[chunk], at == start):
                    sentences, ended = sentences + 1, False
                for place in range(word, word + words.chunk_words[chunk]):
                    flags = words.vocabulary[words.places[place]].flags
                    if flags & ENDS_SENTENCE:
                        ended = True
                    elif ended and not flags & UNICODE_PUNCTUATION:
                        sentences, ended = sentences + 1, False
                word, at = word + words.chunk_words[chunk], words.chunk_ends[chunk]
                chunk += 1
            sentences += ended and is_space_word(text.data, at, end, at == start)
            counts[0, document] += word - before
            counts[1, document] += sentences
    return counts
