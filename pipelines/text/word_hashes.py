"""The words of normalised texts as hashes, each with the place in the source text it came from."""

from typing import NamedTuple

import numpy as np

from pipelines.text.normal_chunks import Chunks, copy_others, find_chunks
from pipelines.text.normal_form import ZERO, Normal, normalise, tabulate
from pipelines.text.numbers import hash_digits
from pipelines.words import Text, Words, split_texts
from pipelines.words.compiled import njit
from pipelines.words.hashing import scatter
from pipelines.words.text_lines import count_chars
from weighting.array_tools import to_offsets
from weighting.arrays import Bools, Int32s, Int64s, Uint8s, Uint64s

# Odd, and 3 modulo 8: then no two of its powers are alike in more than a few low bits.
BASE = np.uint64(0xD1342543DE82EF93)


class WordHashes(NamedTuple):
    """The words of D normalised texts, N in all.

    `hashes_N` uint64: equal words have equal hashes, scattered over all bits. Word i came from the
    bytes [starts_N[i], ends_N[i]) of the texts' data. Words of text d are
    [offsets_D1[d], offsets_D1[d + 1]).
    """

    hashes_N: Uint64s
    starts_N: Int64s
    ends_N: Int64s
    offsets_D1: Int64s


def list_words(text: Text, *, keep_numbers: bool = False) -> WordHashes:
    """Return the words of D texts in normal form, as spaCy splits it.

    With `keep_numbers` different numbers are different words (see `numbers`); else all are 0.
    """
    normal = normalise(text)
    chunks = find_chunks(normal.text)
    others = copy_others(normal.text.data, chunks)
    words = split_texts(Text(others, np.array([0, len(others)])))
    size = int(chunks.whole_K.sum()) + len(words.places)
    word_hashes = WordHashes(
        np.empty(size, np.uint64),
        np.empty(size, np.int64),
        np.empty(size, np.int64),
        np.zeros(len(text.offsets), np.int64),
    )
    numbers_N = np.empty(size, np.bool_)
    trace(chunks, words, normal, word_hashes, numbers_N)
    if keep_numbers:
        mix_numbers(word_hashes, numbers_N, text.data, tabulate().codes)
    return word_hashes


def hash_grams(hashes_N: Uint64s, offsets_D1: Int64s, n: int) -> tuple[Uint64s, Int64s]:
    """Return the hashes of the n-grams of D texts, and their offsets, [M] and [D+1].

    Gram i of text d begins at its word i. Equal grams have equal hashes; order matters. A text of
    fewer than n words has none.
    """
    counts_D = np.maximum(np.diff(offsets_D1) - n + 1, 0)
    grams_D1 = to_offsets(counts_D)
    grams_M = np.empty(grams_D1[-1], np.uint64)
    roll(hashes_N, offsets_D1, n, grams_D1, grams_M)
    return grams_M, grams_D1


@njit
def trace(
    chunks: Chunks, words: Words, normal: Normal, word_hashes: WordHashes, numbers_N: Bools
) -> None:
    """Write hashes and sources of all words, and which of them hold a number.

    `words` are those of the chunks that are not whole. Most chunks are whole, and their words are
    not looked up; the words of the others come in the same order, so two counters find them.
    """
    data = normal.text.data
    size = split = word = 0  # words written; chunks and words of those that were split
    for document in range(len(chunks.offsets_D1) - 1):
        own = normal.origins[document:]
        for chunk in range(chunks.offsets_D1[document], chunks.offsets_D1[document + 1]):
            start, last = chunks.starts_K[chunk], chunks.ends_K[chunk]
            if chunks.whole_K[chunk]:
                word_hashes.hashes_N[size] = chunks.hashes_K[chunk]
                word_hashes.starts_N[size], word_hashes.ends_N[size] = own[start], own[last]
                numbers_N[size] = data[start] == ZERO  # the others are of letters
                size += 1
                continue
            for _ in range(words.chunk_words[split]):
                entry = words.vocabulary[words.places[word]]
                end = start + entry.bytes
                word_hashes.hashes_N[size] = scatter(entry.hash)
                word_hashes.starts_N[size] = own[start]
                word_hashes.ends_N[size] = own[find_end(own, end, last)]
                numbers_N[size] = (data[start:end] == ZERO).any()
                start, size, word = end, size + 1, word + 1
            split += 1
        word_hashes.offsets_D1[document + 1] = size


@njit
def mix_numbers(word_hashes: WordHashes, numbers_N: Bools, data: Uint8s, codes: Int32s) -> None:
    """Mix into the hashes of words that hold a number the digits of their source, `data`."""
    for word in range(len(numbers_N)):
        if numbers_N[word]:
            digits = hash_digits(data, word_hashes.starts_N[word], word_hashes.ends_N[word], codes)
            word_hashes.hashes_N[word] = scatter(word_hashes.hashes_N[word] ^ digits)


@njit
def find_end(origins: Int32s, end: int, last: int) -> int:
    """Return where the character ends that byte end - 1 is of, if it is cut there, else `end`."""
    while end < last and origins[end] == origins[end - 1]:
        end += 1
    return end


@njit
def roll(hashes_N: Uint64s, offsets_D1: Int64s, n: int, grams_D1: Int64s, grams_M: Uint64s) -> None:
    """Write the scattered polynomial hash of each window of n words to `grams_M`.

    value         w0·B² + w1·B + w2           of the words w0 w1 w2, n = 3
    next value    w1·B² + w2·B + w3           = value·B + w3 - w0·B³
    """
    leaving = np.uint64(1)
    for _ in range(n):
        leaving *= BASE
    for document in range(len(offsets_D1) - 1):
        first, gram, value = offsets_D1[document], grams_D1[document], np.uint64(0)
        for at in range(first, offsets_D1[document + 1]):
            value = value * BASE + hashes_N[at]
            if at - first >= n:
                value -= hashes_N[at - n] * leaving
            if at - first >= n - 1:
                grams_M[gram] = scatter(value)
                gram += 1


@njit
def count_chars_before(text: Text, documents_M: Int64s, places_M: Int64s) -> Int64s:
    """Return the code points between the start of a text and a place in its bytes, for M places.

    `documents_M` says which text holds each place, counted in `text.data`. Places that come in
    order cost one pass over the texts.
    """
    counts_M = np.empty(len(places_M), np.int64)
    document, place, count = -1, 0, 0
    for at in range(len(places_M)):
        if documents_M[at] != document or places_M[at] < place:
            document, count = documents_M[at], 0
            place = text.offsets[document]
        count += count_chars(text.data, place, places_M[at])
        place = places_M[at]
        counts_M[at] = count
    return counts_M
