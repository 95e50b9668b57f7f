"""Passages that several documents hold: where they may lie in a batch, and which do.

A passage is known by a 64-bit key, with its kind mixed in, so that one space of keys serves all:

- line: a line (`str.splitlines`), stripped, of at least so many characters; the key is that of its
  bytes, so case, marks and inner white space tell lines apart;
- paragraph: a block of two or more lines that are not blank between lines that are, as long at
  least; the key is that of its stripped lines joined by newlines;
- run: words in a row, at least so many. The words are those of the normal form (see
  `text.word_hashes`), with their numbers, so that tables of numbers are not all alike: case,
  punctuation and line wrapping do not tell runs apart. The key of every window of the least length
  is looked for; what repeated windows cover is a run.

Two different passages among 10^9 share a key with a chance of about 3 in 100.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.settings import PassageSettings
from pipelines.text.word_hashes import WordHashes, count_chars_before, hash_grams, list_words
from pipelines.words import Text
from pipelines.words.compiled import njit
from pipelines.words.hashing import extend, hash_bytes, power, scatter
from pipelines.words.text_lines import (
    NEWLINE,
    break_size,
    count_chars,
    find_break,
    strip_left,
    strip_right,
)
from weighting.array_tools import number_groups
from weighting.arrays import Int32s, Int64s, Uint8s, Uint64s
from weighting.contracts.documents import PASSAGES

KINDS = ("line", "paragraph", "run")  # in the order of their codes and of the alphabet
LINE, PARAGRAPH, RUN = range(3)
SALTS = np.random.Generator(np.random.PCG64(11)).integers(1, 2**64, len(KINDS), np.uint64)


class Pieces(NamedTuple):
    """What may be passages of D texts: B lines and paragraphs, then all windows of words.

    `keys_M` uint64 are the keys of both. Lines and paragraphs of text d are those from
    block_offsets_D1[d] to block_offsets_D1[d + 1]; each lies in bytes starts_B to ends_B of the
    texts' data. Window i of text d, whose key is at B + window_offsets_D1[d] + i, begins at word i
    of the text and has `words` of them.
    """

    keys_M: Uint64s
    kinds_B: Uint8s
    starts_B: Int64s
    ends_B: Int64s
    block_offsets_D1: Int64s
    window_offsets_D1: Int64s
    word_hashes: WordHashes
    words: int

    @property
    def documents_M(self) -> Int64s:
        """The number of the text that holds each piece."""
        offsets = (self.block_offsets_D1, self.window_offsets_D1)
        return np.concatenate([number_groups(offsets_D1) for offsets_D1 in offsets])


class Passages(NamedTuple):
    """The passages of D texts that several documents hold, those of text d at offsets_D1.

    Passage p reaches from character starts_P to ends_P (int32, the end exclusive) of its text, is
    of the kind KINDS[kinds_P], and `documents_P` hold it. Those of a text are sorted by start, end
    and kind; a line may lie in a paragraph, and both in a run. A run is cut where its count
    changes; a word's count is the largest of the windows that hold it.
    """

    starts_P: Int32s
    ends_P: Int32s
    kinds_P: Uint8s
    documents_P: Int32s
    offsets_D1: Int64s


def find_pieces(text: Text, settings: PassageSettings) -> Pieces:
    """Return all lines, paragraphs and windows of D texts that are long enough."""
    size, least = int(text.offsets[-1] - text.offsets[0]), max(1, settings.line_chars)
    room = 2 * (size // least + 1)  # a line and a paragraph for every `least` bytes
    keys_B, kinds_B = np.empty(room, np.uint64), np.empty(room, np.uint8)
    bounds_2xB = np.empty((2, room), np.int64)
    block_offsets_D1 = np.zeros(len(text.offsets), np.int64)
    blocks = find_blocks(text, least, keys_B, kinds_B, bounds_2xB, block_offsets_D1)
    word_hashes = list_words(text, keep_numbers=True)
    keys_W, window_offsets_D1 = hash_grams(
        word_hashes.hashes_N, word_hashes.offsets_D1, settings.words
    )
    keys_W ^= SALTS[RUN]
    return Pieces(
        keys_M=np.concatenate([keys_B[:blocks], keys_W]),
        kinds_B=kinds_B[:blocks].copy(),
        starts_B=bounds_2xB[0, :blocks].copy(),
        ends_B=bounds_2xB[1, :blocks].copy(),
        block_offsets_D1=block_offsets_D1,
        window_offsets_D1=window_offsets_D1,
        word_hashes=word_hashes,
        words=settings.words,
    )


def mark(text: Text, pieces: Pieces, counts_M: npt.NDArray[np.unsignedinteger]) -> Passages:
    """Return the passages of D texts, given how many documents hold each piece, 0 for one."""
    blocks, word_hashes = len(pieces.kinds_B), pieces.word_hashes
    hit_H = np.flatnonzero(counts_M[:blocks])
    counts_N = cover(
        counts_M[blocks:], pieces.window_offsets_D1, word_hashes.offsets_D1, pieces.words
    )
    documents_R, first_R, last_R, counts_R = list_runs(counts_N, word_hashes.offsets_D1)
    documents_P = np.concatenate([number_groups(pieces.block_offsets_D1)[hit_H], documents_R])
    starts_P = np.concatenate([pieces.starts_B[hit_H], word_hashes.starts_N[first_R]])
    ends_P = np.concatenate([pieces.ends_B[hit_H], word_hashes.ends_N[last_R]])
    kinds_P = np.concatenate([pieces.kinds_B[hit_H], np.full(len(first_R), RUN, np.uint8)])
    sizes_P = np.concatenate([counts_M[hit_H].astype(np.int32), counts_R.astype(np.int32)])
    order_P = np.lexsort((kinds_P, ends_P, starts_P, documents_P))
    documents_P = documents_P[order_P]
    starts_P, ends_P = locate_chars(text, documents_P, starts_P[order_P], ends_P[order_P])
    offsets_D1 = np.searchsorted(documents_P, np.arange(len(text.offsets)))
    return Passages(
        starts_P=starts_P,
        ends_P=ends_P,
        kinds_P=kinds_P[order_P],
        documents_P=sizes_P[order_P],
        offsets_D1=offsets_D1,
    )


def to_arrow(passages: Passages) -> pa.ListArray:
    """Return the passages of D documents as an Arrow array of type PASSAGES."""
    kinds = pa.DictionaryArray.from_arrays(passages.kinds_P, pa.array(KINDS)).cast(pa.string())
    columns = [passages.starts_P, passages.ends_P, kinds, passages.documents_P]
    structs = pa.StructArray.from_arrays(map(pa.array, columns), fields=list(PASSAGES.value_type))
    offsets = pa.array(passages.offsets_D1, pa.int32())
    return pa.ListArray.from_arrays(offsets, structs, type=PASSAGES)


def locate_chars(text: Text, documents_P: Int64s, starts_P: Int64s, ends_P: Int64s) -> Int32s:
    """Return the first and last places of P spans of texts in characters, [2, P].

    Given are their bytes, and the number of the text that holds each.
    """
    documents_Q, places_Q = np.tile(documents_P, 2), np.concatenate([starts_P, ends_P])
    order_Q = np.lexsort((places_Q, documents_Q))
    chars_Q = np.empty(len(places_Q), np.int32)
    chars_Q[order_Q] = count_chars_before(text, documents_Q[order_Q], places_Q[order_Q])
    return chars_Q.reshape(2, -1)


@njit
def find_blocks(
    text: Text, least: int, keys: Uint64s, kinds: Uint8s, bounds: Int64s, offsets_D1: Int64s
) -> int:
    """Write the lines and paragraphs of D texts, [B] and bounds [2, B]; return their number.

    Both have at least so many characters; a paragraph comes after its lines.
    """
    data, size = text.data, 0
    for document in range(len(text.offsets) - 1):
        at, stop = text.offsets[document], text.offsets[document + 1]
        lines, chars, first, last, value = 0, 0, at, at, np.uint64(0)
        while at <= stop:  # the end counts as a blank line: it closes the last paragraph
            end = find_break(data, at, stop)
            start = strip_left(data, at, end)
            close = strip_right(data, start, end)
            if close > start:
                line, length = hash_bytes(data, start, close), count_chars(data, start, close)
                if length >= least:
                    keys[size], kinds[size] = scatter(line ^ SALTS[LINE]), LINE
                    bounds[0, size], bounds[1, size] = start, close
                    size += 1
                if lines:
                    # hash(ab) = hash(a) · BASE^len(b) + hash(b), with a newline between: no byte is
                    # read twice for the paragraph.
                    joined = extend(value, np.uint8(NEWLINE))
                    value, chars = joined * power(close - start) + line, chars + 1 + length
                else:
                    first, value, chars = start, line, length
                lines, last = lines + 1, close
            if close == start or end == stop:
                if lines > 1 and chars >= least:
                    keys[size], kinds[size] = scatter(value ^ SALTS[PARAGRAPH]), PARAGRAPH
                    bounds[0, size], bounds[1, size] = first, last
                    size += 1
                lines = 0
            at = end + break_size(data, end, stop) if end < stop else stop + 1
        offsets_D1[document + 1] = size
    return size


@njit
def cover(
    counts_W: npt.NDArray[np.unsignedinteger], offsets_D1: Int64s, words_D1: Int64s, size: int
) -> Int32s:
    """Return for each of N words the largest count of the windows of `size` words that hold it.

    Windows of text d are at offsets_D1, its words at words_D1. Those that may still be the largest
    wait in a queue, by falling count:

        counts of windows  3 1 2 ·      at window 2 (a count of 2) the queue is 3 2: the 1 can no
        size 3             [---)        more be the largest, as the 2 is larger and stays longer
    """
    counts_N = np.zeros(words_D1[-1], np.int32)
    longest = 0
    for document in range(len(offsets_D1) - 1):
        longest = max(longest, offsets_D1[document + 1] - offsets_D1[document])
    queue = np.empty(longest, np.int64)
    for document in range(len(offsets_D1) - 1):
        first, windows = offsets_D1[document], offsets_D1[document + 1] - offsets_D1[document]
        head, tail = 0, 0
        for word in range(words_D1[document + 1] - words_D1[document]):
            if word < windows and counts_W[first + word]:
                while tail > head and counts_W[first + queue[tail - 1]] <= counts_W[first + word]:
                    tail -= 1
                queue[tail] = word
                tail += 1
            if tail > head:
                head += queue[head] == word - size  # the window ended with the word before
            if tail > head:
                counts_N[words_D1[document] + word] = counts_W[first + queue[head]]
    return counts_N


@njit
def list_runs(counts_N: Int32s, offsets_D1: Int64s) -> Int64s:
    """Cut the words that have a count into runs of one count, int64 [4, R].

    Rows: the text, the first word, the last word, the count.
    """
    size = 0  # of runs, if those that go on into the next text were one; each text may add one
    for at in range(len(counts_N)):
        size += counts_N[at] and (at == 0 or counts_N[at - 1] != counts_N[at])
    runs, size = np.empty((4, size + len(offsets_D1)), np.int64), 0
    for document in range(len(offsets_D1) - 1):
        before = 0
        for at in range(offsets_D1[document], offsets_D1[document + 1]):
            count = counts_N[at]
            if count and count != before:
                runs[0, size], runs[1, size], runs[3, size] = document, at, count
                size += 1
            if count:
                runs[2, size - 1] = at
            before = count
    return runs[:, :size].copy()
