"""C4's line rules (Raffel et al. 2020, arXiv 1910.10683, 2.2), as datatrove reads them.

Every line (`str.splitlines`) is stripped, loses its citation marks `[n]`, `[edit]` and
`[citation needed]`, and is removed for the first of the reasons in REASONS that holds. What is left
is joined by newlines. Two page rules, "lorem ipsum" and curly brackets, are counted on the way:
over the whole page, or with `compat` only over lines that got past the first three reasons, which
is how the reference misses most of them.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from pipelines.languages.writing import ENGLISH, UNENDED
from pipelines.rules.line_pieces import (
    Pieces,
    copy_pieces,
    join_pieces,
    list_pieces,
    strip_pieces,
)
from pipelines.rules.line_reasons import (
    ANY_SCRIPT,
    HAS_CURLY,
    HAS_LOREM,
    LATIN,
    LONG_WORD,
    NO_MARK,
    REASONS,
    STAYS,
    judge_line,
    search,
)
from pipelines.rules.own_rules import LONGEST_WORD
from pipelines.rules.sentences import SPLIT_AGAIN, count_sentences, list_lines
from pipelines.words import Text, Words, split_texts
from pipelines.words.compiled import njit
from pipelines.words.text_lines import break_size, count_chars, find_break, strip_left, strip_right
from weighting.arrays import Int32s, Int64s, Uint8s

Languages = Sequence[str]  # that documents are judged as


class LineCut(NamedTuple):
    """What the line rules leave of D texts, and what they removed.

    `spans` [S, 4] are the changed pieces (see `edits.spans`), those of text d bounded by
    `span_offsets` [D+1]; `removed` [5, D] counts lines by reason; `lorem` and `curly` [D] count
    lines for the page rules; `words` and `sentences` [D] are of what is left.
    """

    texts_D: pa.StringArray
    spans: Int32s
    span_offsets: Int64s
    removed: Int64s
    lorem: Int64s
    curly: Int64s
    words: Int64s
    sentences: Int64s


class Options(NamedTuple):
    """How the rules are read: ask for a terminal punctuation mark, do as the reference does."""

    terminal: bool
    compat: bool


class Sifted(NamedTuple):
    """What sifting writes: the pieces that stay, and counts of lines by document."""

    pieces: Pieces
    removed_5xD: Int64s  # by reason
    pages_2xD: Int64s  # with "lorem ipsum", with a curly bracket


def cut_lines(text: Text, words: Words, options: Options, languages_D: Languages) -> LineCut:
    """Apply the line rules to D texts of the given languages."""
    marks_D = np.array([_choose_marks(one, options.terminal) for one in languages_D], np.int64)
    sifted = _sift(text, words, options.compat, marks_D)
    joined = join_pieces(text, sifted.pieces)
    buffers = pa.py_buffer(joined.offsets_D1), pa.py_buffer(joined.data)
    texts_D = pa.StringArray.from_buffers(len(text.offsets) - 1, *buffers)
    lorem, curly = sifted.pages_2xD
    left, sentences = _count_left(text, words, sifted.pieces, texts_D, languages_D)
    return LineCut(
        texts_D=texts_D,
        spans=joined.spans_Sx4,
        span_offsets=joined.span_offsets_D1,
        removed=sifted.removed_5xD,
        lorem=lorem,
        curly=curly,
        words=left,
        sentences=sentences,
    )


def _choose_marks(language: str, terminal: bool) -> int:
    """Return which marks the lines of a language have to end in."""
    if not terminal or language in UNENDED:
        return NO_MARK
    return LATIN if language == ENGLISH else ANY_SCRIPT


def _sift(text: Text, words: Words, compat: bool, marks_D: Int64s) -> Sifted:
    """Return the pieces of D texts that stay."""
    documents = len(text.offsets) - 1
    size = int(text.offsets[-1] - text.offsets[0])
    # A piece has a byte at least, and a line break or a mark between it and the next.
    rows_Px3 = np.empty((size // 2 + 2 * documents + 1, 3), np.int64)
    sifted = Sifted(
        pieces=Pieces(rows_Px3, np.zeros(documents + 1, np.int64)),
        removed_5xD=np.zeros((len(REASONS), documents), np.int64),
        pages_2xD=np.zeros((2, documents), np.int64),
    )
    sift_lines(text, words, compat, marks_D, sifted)
    offsets_D1 = sifted.pieces.offsets_D1
    return sifted._replace(pieces=Pieces(rows_Px3[: offsets_D1[-1]].copy(), offsets_D1))


def _count_left(
    text: Text, words: Words, pieces: Pieces, texts_D: pa.StringArray, languages_D: Languages
) -> Int64s:
    """Return the words and sentences of what is left of D texts, int64 [2, D].

    Lines that stay as they are keep their words; texts in which a line lost a citation mark are
    split again.
    """
    counts = count_sentences(text, words, pieces)
    again = np.flatnonzero(counts[0] == SPLIT_AGAIN)
    if len(again):
        left = Text.view(texts_D.take(pa.array(again)))
        split = split_texts(left, [languages_D[text] for text in again.tolist()])
        counts[:, again] = count_sentences(left, split, list_lines(left))
    return counts


@njit
def sift_lines(text: Text, words: Words, compat: bool, marks_D: Int64s, sifted: Sifted) -> None:
    """List the pieces of D texts that stay, count the lines that do not, and the page rules'."""
    scratch = np.empty(measure_longest(text.offsets), np.uint8)
    pieces, removed, pages = sifted
    chunk, size = 0, 0
    for document in range(len(text.offsets) - 1):
        at, stop, marks = text.offsets[document], text.offsets[document + 1], marks_D[document]
        while at < stop:
            end = find_break(text.data, at, stop)
            start, close = strip_left(text.data, at, end), strip_right(text.data, at, end)
            at = end + break_size(text.data, end, stop) if end < stop else stop
            following, longest = skip_chunks(text.data, words, chunk, end)
            count, chunk = following - chunk, following
            if not compat:
                count_pages(pages, document, search(text.data, start, close))
            if longest > LONGEST_WORD:
                removed[LONG_WORD, document] += 1
                continue
            # Written behind those that stay; a line that goes is written over by the next.
            after = list_pieces(text.data, start, close, pieces.rows_Px3, size)
            line = pieces.rows_Px3[size:after]
            if len(line) == 1 and line[0, 0] == start and line[0, 1] == close:
                reason, found = judge_line(text.data, start, close, count, marks)
            else:  # it lost a mark, and what is left is judged as one line
                length = copy_pieces(text.data, line, scratch)
                reason, found = judge_line(scratch, 0, length, count, marks)
            if compat:
                count_pages(pages, document, found)
            if reason == STAYS:
                size = after
            else:
                removed[reason, document] += 1
        size = strip_pieces(text.data, pieces.rows_Px3, pieces.offsets_D1[document], size)
        pieces.offsets_D1[document + 1] = size


@njit
def measure_longest(offsets_D1: Int64s) -> int:
    """Return the bytes of the longest of D texts."""
    longest = 0
    for document in range(len(offsets_D1) - 1):
        longest = max(longest, int(offsets_D1[document + 1] - offsets_D1[document]))
    return longest


@njit
def skip_chunks(data: Uint8s, words: Words, chunk: int, end: int) -> tuple[int, int]:
    """Return the first chunk that begins at `end` or behind it, and the length of the longest here.

    Characters are counted only where there are so many bytes that there may be too many of them.
    """
    longest = 0
    while chunk < len(words.chunk_starts) and words.chunk_starts[chunk] < end:
        length = words.chunk_ends[chunk] - words.chunk_starts[chunk]
        if length > LONGEST_WORD:
            length = count_chars(data, words.chunk_starts[chunk], words.chunk_ends[chunk])
        longest, chunk = max(longest, length), chunk + 1
    return chunk, longest


@njit
def count_pages(pages_2xD: Int64s, document: int, found: int) -> None:
    """Add a line to the page rules that it counts for."""
    pages_2xD[0, document] += found & HAS_LOREM != 0
    pages_2xD[1, document] += found & HAS_CURLY != 0
