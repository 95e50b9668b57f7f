"""C4's line rules (Raffel et al. 2020, arXiv 1910.10683, 2.2), as datatrove reads them.

Every line (`str.splitlines`) is stripped, loses its citation marks `[n]`, `[edit]` and
`[citation needed]`, and is removed for the first of the reasons in REASONS that holds. What is left
is joined by newlines. Two page rules, "lorem ipsum" and curly brackets, are counted on the way:
over the whole page, or with `compat` only over lines that got past the first three reasons, which
is how the reference misses most of them.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from pipelines.words import Text, Words, split_texts
from pipelines.words.compiled import njit
from pipelines.words.lines import (
    NEWLINE,
    break_size,
    count_chars,
    encode,
    ends_with,
    find_break,
    matches,
    strip_left,
    strip_right,
)
from pipelines.words.tables import ENDS_SENTENCE, UNICODE_PUNCTUATION
from weighting.arrays import Int32s, Int64s, Uint8s

REASONS = ("long_word", "unterminated", "short", "javascript", "policy")
LONG_WORD, UNTERMINATED, SHORT, JAVASCRIPT, POLICY = range(len(REASONS))
LONGEST_WORD = 1000  # characters of a word, which is a run of non-space characters here
FEWEST_WORDS = 3
OPEN, CLOSE, CURLY, SPACE = ord("["), ord("]"), ord("{"), ord(" ")
SPLIT_AGAIN = -1
TERMINAL = encode(".?!\"'")
DOTS, EDIT, CITATION = map(encode, ("...", "edit", "citation needed"))
# What a line is searched for, and the bit that stands for it.
HAS_LOREM, HAS_JAVASCRIPT, HAS_CURLY, HAS_POLICY = 1, 2, 4, 8
POLICIES = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)
# A needle is looked for where its rarest letter is.
NEEDLES = tuple(map(encode, ("lorem ipsum", "javascript", *POLICIES)))
RAREST = (4, 0, 3, 3, 3, 8, 10, 7)  # m, j, m, v, k, k, k, k
BITS = (HAS_LOREM, HAS_JAVASCRIPT) + (HAS_POLICY,) * len(POLICIES)
RARE_BYTES = np.isin(np.arange(256), [ord(letter) for letter in "mMjJvVkK{"])


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


def cut_lines(text: Text, words: Words, terminal: bool, compat: bool) -> LineCut:
    """Apply the line rules to D texts; `terminal` asks for a terminal punctuation mark."""
    documents = len(text.offsets) - 1
    size = int(text.offsets[-1] - text.offsets[0])
    pieces = np.empty((size // 2 + 2 * documents + 1, 3), np.int64)
    piece_offsets = np.zeros(documents + 1, np.int64)
    removed, pages = np.zeros((len(REASONS), documents), np.int64), np.zeros((2, documents), int)
    scratch = np.empty(int(np.diff(text.offsets).max(initial=0)), np.uint8)
    sift_lines(text, words, terminal, compat, pieces, piece_offsets, removed, pages, scratch)
    pieces = pieces[: piece_offsets[-1]].copy()
    data = np.empty(size, np.uint8)
    offsets, span_offsets = np.zeros(documents + 1, np.int32), np.zeros(documents + 1, np.int64)
    spans = np.empty((len(pieces) + documents, 4), np.int32)
    join_pieces(text, pieces, piece_offsets, data, offsets, spans, span_offsets)
    buffers = pa.py_buffer(offsets), pa.py_buffer(data[: offsets[-1]].copy())
    texts_D = pa.StringArray.from_buffers(documents, *buffers)
    counts = count_left(text, words, pieces, piece_offsets, texts_D)
    return LineCut(
        texts_D, spans[: span_offsets[-1]].copy(), span_offsets, removed, *pages, *counts
    )


def count_left(
    text: Text, words: Words, pieces: Int64s, piece_offsets: Int64s, texts_D: pa.StringArray
) -> Int64s:
    """Return the words and sentences of what is left of D texts, int64 [2, D].

    Lines that stay as they are keep their words; texts in which a line lost a citation mark are
    split again.
    """
    counts = count_sentences(text, words, pieces, piece_offsets)
    again = np.flatnonzero(counts[0] == SPLIT_AGAIN)
    if len(again):
        left = Text.view(texts_D.take(pa.array(again)))
        lines, line_offsets = list_lines(left)
        counts[:, again] = count_sentences(left, split_texts(left), lines, line_offsets)
    return counts


@njit
def search(data: Uint8s, start: int, end: int) -> int:
    """Return the bits of what occurs in bytes [start, end), whatever the case."""
    found = 0
    for at in range(start, end):
        if not RARE_BYTES[data[at]]:
            continue
        if data[at] == CURLY:
            found |= HAS_CURLY
            continue
        for needle in range(len(NEEDLES)):
            first = at - RAREST[needle]
            if first >= start and matches(data, first, end, NEEDLES[needle]):
                found |= BITS[needle]
    return found


@njit
def citation_size(data: Uint8s, at: int, end: int) -> int:
    """Return the bytes of the citation mark at `at`, 0 if there is none."""
    if data[at] != OPEN:
        return 0
    for mark in (EDIT, CITATION):
        close = at + 1 + len(mark)
        if close < end and data[close] == CLOSE and is_written(data, at + 1, mark):
            return close + 1 - at
    place = at + 1
    while place < end and 48 <= data[place] <= 57:
        place += 1
    return place + 1 - at if place < end and data[place] == CLOSE else 0


@njit
def is_written(data: Uint8s, at: int, wanted: Uint8s) -> bool:
    """Say whether the bytes from `at` on are `wanted`, in small letters."""
    return bool(np.all(data[at : at + len(wanted)] == wanted))


@njit
def list_pieces(data: Uint8s, start: int, end: int, pieces: Int64s, size: int) -> int:
    """Append the byte ranges of a line between its citations; return the number of pieces.

    A piece's third number says whether it begins a line.
    """
    begins, piece, at = 1, start, start
    while at < end:
        mark = citation_size(data, at, end)
        if mark and at > piece:
            pieces[size] = piece, at, begins
            size, begins = size + 1, 0
        if mark:
            piece = at + mark
        at += max(mark, 1)
    if end > piece:
        pieces[size] = piece, end, begins
        size += 1
    return size


@njit
def is_terminated(data: Uint8s, start: int, end: int) -> bool:
    """Say whether bytes [start, end) end in a terminal punctuation mark and not in an ellipsis."""
    if start == end or ends_with(data, start, end, DOTS):
        return False
    return data[end - 1] in TERMINAL


@njit
def judge_line(data: Uint8s, start: int, end: int, words: int, terminal: bool) -> tuple[int, int]:
    """Return the reason to remove a line of so many words, -1 for none, and what occurs in it.

    What occurs is 0 where an earlier reason spares the search.
    """
    if terminal and not is_terminated(data, start, end):
        return UNTERMINATED, 0
    if words < FEWEST_WORDS:
        return SHORT, 0
    found = search(data, start, end)
    if found & HAS_JAVASCRIPT:
        return JAVASCRIPT, found & ~HAS_CURLY
    return POLICY if found & HAS_POLICY else -1, found


@njit
def sift_lines(
    text: Text,
    words: Words,
    terminal: bool,
    compat: bool,
    pieces: Int64s,
    piece_offsets: Int64s,
    removed: Int64s,
    pages: Int64s,
    scratch: Uint8s,
) -> None:
    """List the pieces of D texts that stay, count the lines that do not, and the page rules'."""
    data, chunk, size = text.data, 0, 0
    for document in range(len(text.offsets) - 1):
        at, stop = text.offsets[document], text.offsets[document + 1]
        while at < stop:
            end = find_break(data, at, stop)
            start, close = strip_left(data, at, end), strip_right(data, at, end)
            at = end + break_size(data, end, stop) if end < stop else stop
            count, longest = 0, 0
            while chunk < len(words.chunk_starts) and words.chunk_starts[chunk] < end:
                length = words.chunk_ends[chunk] - words.chunk_starts[chunk]
                if length > LONGEST_WORD:
                    length = count_chars(data, words.chunk_starts[chunk], words.chunk_ends[chunk])
                count, longest, chunk = count + 1, max(longest, length), chunk + 1
            if not compat:
                found = search(data, start, close)
                pages[0, document] += found & HAS_LOREM != 0
                pages[1, document] += found & HAS_CURLY != 0
            if longest > LONGEST_WORD:
                removed[LONG_WORD, document] += 1
                continue
            after = list_pieces(data, start, close, pieces, size)
            if after == size + 1 and pieces[size, 0] == start and pieces[size, 1] == close:
                reason, found = judge_line(data, start, close, count, terminal)
            else:
                length = copy_pieces(data, pieces[size:after], scratch)
                reason, found = judge_line(scratch, 0, length, count, terminal)
            if compat:
                pages[0, document] += found & HAS_LOREM != 0
                pages[1, document] += found & HAS_CURLY != 0
            if reason < 0:
                size = after
            else:
                removed[reason, document] += 1
        size = strip_pieces(data, pieces, piece_offsets[document], size)
        piece_offsets[document + 1] = size


@njit
def copy_pieces(data: Uint8s, pieces: Int64s, scratch: Uint8s) -> int:
    """Write a line's pieces to `scratch`, one after the other; return their bytes."""
    size = 0
    for piece in pieces:
        length = piece[1] - piece[0]
        scratch[size : size + length] = data[piece[0] : piece[1]]
        size += length
    return size


@njit
def strip_pieces(data: Uint8s, pieces: Int64s, first: int, size: int) -> int:
    """Strip the text that pieces [first, size) make of white space at both ends.

    Pieces that hold nothing else become empty at the start, and go at the end.
    """
    at = first
    while at < size:
        pieces[at, 0] = strip_left(data, pieces[at, 0], pieces[at, 1])
        if pieces[at, 0] < pieces[at, 1]:
            break
        at += 1
    while size > at:
        pieces[size - 1, 1] = strip_right(data, pieces[size - 1, 0], pieces[size - 1, 1])
        if pieces[size - 1, 0] < pieces[size - 1, 1]:
            break
        size -= 1
    for empty in range(first, min(at, size)):
        pieces[empty, 2] = 0
    if at < size:
        pieces[at, 2] = 0  # nothing comes before it
    return size


@njit
def join_pieces(
    text: Text,
    pieces: Int64s,
    piece_offsets: Int64s,
    data: Uint8s,
    offsets: Int32s,
    spans: Int32s,
    span_offsets: Int64s,
) -> None:
    """Write the texts that the pieces make, and the spans that lead back to the sources."""
    size, rows = 0, 0
    for document in range(len(text.offsets) - 1):
        source, stop = text.offsets[document], text.offsets[document + 1]
        at, chars = 0, 0  # characters of the source, and of what is written
        for piece in range(piece_offsets[document], piece_offsets[document + 1]):
            start, end, begins = pieces[piece]
            if start == end:
                continue
            gap = count_chars(text.data, source, start)
            if gap != begins or (begins and text.data[source] != NEWLINE):
                spans[rows] = chars, chars + begins, at, at + gap
                rows += 1
            if begins:
                data[size] = NEWLINE
                size += 1
            length = count_chars(text.data, start, end)
            data[size : size + end - start] = text.data[start:end]
            size, source = size + end - start, end
            at, chars = at + gap + length, chars + begins + length
        gap = count_chars(text.data, source, stop)
        if gap:
            spans[rows] = chars, chars, at, at + gap
            rows += 1
        offsets[document + 1], span_offsets[document + 1] = size, rows


@njit
def list_lines(text: Text) -> tuple[Int64s, Int64s]:
    """Return the lines of D texts as pieces [L, 3], and the bounds of each text's [D+1]."""
    lines = np.empty((np.count_nonzero(text.data == NEWLINE) + len(text.offsets), 3), np.int64)
    offsets, size = np.zeros(len(text.offsets), np.int64), 0
    for document in range(len(text.offsets) - 1):
        at, stop = text.offsets[document], text.offsets[document + 1]
        while at < stop:
            end = at
            while end < stop and text.data[end] != NEWLINE:
                end += 1
            lines[size] = at, end, 1
            size, at = size + 1, end + 1
        offsets[document + 1] = size
    return lines[:size], offsets


@njit
def is_space_word(data: Uint8s, start: int, end: int, first: bool) -> bool:
    """Say whether spaCy makes a word of the white space in bytes [start, end).

    One blank after a word belongs to it.
    """
    return end > start and (first or end - start > 1 or data[start] != SPACE)


@njit
def count_sentences(text: Text, words: Words, lines: Int64s, line_offsets: Int64s) -> Int64s:
    """Return the words and sentences in the given lines of D texts, int64 [2, D].

    Sentences are counted line by line; one ends after a sentence mark and the punctuation that
    follows it (spaCy's Sentencizer). A text with a line in several pieces counts SPLIT_AGAIN.
    """
    counts = np.zeros((2, len(text.offsets) - 1), np.int64)
    chunk, word = 0, 0
    for document in range(len(text.offsets) - 1):
        for line in range(line_offsets[document], line_offsets[document + 1]):
            start, end, begins = lines[line]
            if not begins and line > line_offsets[document]:
                counts[0, document] = SPLIT_AGAIN
                break
            while chunk < len(words.chunk_starts) and words.chunk_starts[chunk] < start:
                word, chunk = word + words.chunk_words[chunk], chunk + 1
            before, sentences, ended, at = word, end > start, False, start
            while chunk < len(words.chunk_starts) and words.chunk_starts[chunk] < end:
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
