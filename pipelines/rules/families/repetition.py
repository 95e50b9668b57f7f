"""Gopher repetition rules (Rae et al. 2021, arXiv 2112.11446, table A1), as datatrove reads them.

A repeat is every occurrence after the first. Shares of characters are of all the document's
characters, white space included. Paragraphs are split at two or more newlines, lines at one or
more. The most common n-gram counts with the blanks between its words, repeated n-grams without.
An n-gram that occurs once is not a repetition, except with `compat`, where the reference counts it.
"""

from typing import NamedTuple

import numpy as np

from pipelines.rules.batch import Batch
from pipelines.rules.own_rules import REPEATED, TOP
from pipelines.rules.ratios import divide
from pipelines.words import Text, Words
from pipelines.words.compiled import njit
from pipelines.words.hashing import find_slot, hash_bytes, power, scatter
from pipelines.words.text_lines import NEWLINE, count_chars, strip_left, strip_right
from weighting.arrays import Float64s, Int32s, Int64s, Structs, Uint8s, Uint64s

GRAMS = len(TOP) + len(REPEATED)
MARKS = np.uint64(2**12 - 1)  # the bits of a key that tell whose entry it is
FACTOR = np.uint64(0xD6E8FEB86659FD93)  # of the hash of a series of words


class Running(NamedTuple):
    """Running values of a text's N words [N+1]: an n-gram's own is the difference of two entries.

    `words` hashes a series of words, whatever their bytes are; `bytes` hashes the bytes of words as
    if no space was between them, so that "a bc" and "ab c" are the same.
    """

    words: Uint64s
    chars: Int64s
    sizes: Int64s  # in bytes
    bytes: Uint64s


class Table(NamedTuple):
    """An open-addressing table that is never emptied: keys carry the mark of the use they are of.

        key    | 52 bits of a hash | 12 bits: mark |

    An entry with another mark is a free slot. There are 4,095 marks, then the table is cleared.
    """

    keys: Uint64s
    counts: Int32s  # of the n-gram
    firsts: Int32s  # where it came first


def annotate(batch: Batch) -> dict[str, Float64s]:
    """Return the values of D documents, float64 [D] each; NaN for empty texts."""
    paragraphs, dup_paragraphs, paragraph_chars = count_repeated_parts(batch.text, 2)
    lines, dup_lines, line_chars = count_repeated_parts(batch.text, 1)
    *grams, chars = count_repeated_words(batch.text, batch.words, 1 if batch.settings.compat else 2)
    names = [f"gopher_top_{n}gram" for n in TOP] + [f"gopher_dup_{n}gram" for n in REPEATED]
    return {
        "gopher_dup_paragraphs": divide(dup_paragraphs, np.where(chars > 0, paragraphs, 0)),
        "gopher_dup_paragraph_chars": divide(paragraph_chars, chars),
        "gopher_dup_lines": divide(dup_lines, np.where(chars > 0, lines, 0)),
        "gopher_dup_line_chars": divide(line_chars, chars),
        **{name: divide(value, chars) for name, value in zip(names, grams, strict=True)},
    }


@njit
def make_table(entries: int) -> Uint64s:
    """Return an empty table with room for so many entries."""
    size = 16
    while size < 2 * entries:
        size *= 2
    return np.zeros(size, np.uint64)


@njit
def find_run(data: Uint8s, at: int, stop: int, newlines: int) -> tuple[int, int]:
    """Return the byte range of the next run of at least so many newlines, from `at` on."""
    while at < stop:
        if data[at] == NEWLINE:
            end = at
            while end < stop and data[end] == NEWLINE:
                end += 1
            if end - at >= newlines:
                return at, end
            at = end
        else:
            at += 1
    return stop, stop


@njit
def count_repeated_parts(text: Text, newlines: int) -> Int64s:
    """Return parts, repeated ones, and the characters in those, of D texts, int64 [3, D].

    Parts are divided by runs of at least so many newlines. Paragraphs are those of the stripped
    text, lines those of the text as it is.
    """
    counts, data = np.zeros((3, len(text.offsets) - 1), np.int64), text.data
    for document in range(len(text.offsets) - 1):
        at, stop = text.offsets[document], text.offsets[document + 1]
        if newlines > 1:
            at, stop = strip_left(data, at, stop), strip_right(data, at, stop)
            stop = max(at, stop)
        seen = make_table(int(np.count_nonzero(data[at:stop] == NEWLINE)) + 2)
        more = True
        while more:
            end, following = find_run(data, at, stop, newlines)
            more = following > end
            # An empty part must not look like a free place.
            key = hash_bytes(data, at, end) or np.uint64(1)
            slot = find_slot(seen, key)
            if seen[slot] != np.uint64(0):
                counts[1, document] += 1
                counts[2, document] += count_chars(data, at, end)
            seen[slot] = key
            counts[0, document] += 1
            at = following
    return counts


@njit
def count_repeated_words(text: Text, words: Words, least: int) -> Int64s:
    """Return characters in repeated n-grams of D texts, int64 [10, D].

    Rows: the most common 2-, 3- and 4-gram, if it occurs `least` times; repeated 5- to 10-grams;
    all characters.
    """
    sums = np.zeros((GRAMS + 1, len(text.offsets) - 1), np.int64)
    size = int(find_mask(find_longest(words.offsets))) + 1
    keys = np.zeros(size, np.uint64)
    table = Table(keys, np.empty(size, np.int32), np.empty(size, np.int32))
    mark = np.uint64(0)
    for document in range(len(text.offsets) - 1):
        places = words.places[words.offsets[document] : words.offsets[document + 1]]
        running = accumulate(words.vocabulary, places)
        if mark + np.uint64(9) > MARKS:  # a document takes nine
            keys[:], mark = np.uint64(0), np.uint64(0)
        for n in range(2, 5):
            mark += np.uint64(1)
            sums[n - 2, document] = measure_top(running, n, least, table, mark)
        for n in range(5, 11):
            mark += np.uint64(1)
            sums[n - 2, document] = measure_repeated(running, n, keys, mark)
            if not sums[n - 2, document]:
                break  # without a repeated n-gram there is no repeated longer one
        start, end = text.offsets[document], text.offsets[document + 1]
        sums[-1, document] = count_chars(text.data, start, end)
    return sums


@njit
def find_longest(offsets: Int64s) -> int:
    """Return the largest difference of two neighbours."""
    longest = 0
    for at in range(len(offsets) - 1):
        longest = max(longest, int(offsets[at + 1] - offsets[at]))
    return longest


@njit
def accumulate(vocabulary: Structs, places: Int64s) -> Running:
    """Return the running values of N words."""
    series = np.zeros(len(places) + 1, np.uint64)
    chars, sizes = np.zeros(len(places) + 1, np.int64), np.zeros(len(places) + 1, np.int64)
    prefix = np.zeros(len(places) + 1, np.uint64)
    for at in range(len(places)):
        word = vocabulary[places[at]]
        # The k-th word before the end is multiplied by FACTOR^(k + 1).
        series[at + 1] = (series[at] + word.hash) * FACTOR
        chars[at + 1] = chars[at] + word.chars
        sizes[at + 1] = sizes[at] + word.bytes
        prefix[at + 1] = prefix[at] * power(word.bytes) + word.hash
    return Running(series, chars, sizes, prefix)


@njit
def find_marked(keys: Uint64s, mask: np.uint64, key: np.uint64, mark: np.uint64) -> int:
    """Return where a key of this mark is, or belongs; entries of other marks count as free.

    `mask` may be smaller than the table: a short text uses its first places, which stay in cache.
    """
    slot = scatter(key) & mask
    while keys[slot] & MARKS == mark and keys[slot] != key:
        slot = (slot + np.uint64(1)) & mask
    return int(slot)


@njit
def find_mask(entries: int) -> np.uint64:
    """Return the mask of the smallest table with room for so many entries."""
    size = 16
    while size < 2 * entries:
        size *= 2
    return np.uint64(size - 1)


@njit
def measure_top(running: Running, n: int, least: int, table: Table, mark: np.uint64) -> int:
    """Return length times count of the most common n-gram; of several the one that comes first."""
    series, chars = running.words, running.chars
    keys, counts, firsts = table
    most, earliest, mask, factor = 0, 0, find_mask(len(series) - 1), np.uint64(1)
    for _ in range(n):
        factor *= FACTOR
    for at in range(len(series) - n):
        key = (series[at + n] - series[at] * factor) & ~MARKS | mark
        slot = find_marked(keys, mask, key, mark)
        if keys[slot] != key:
            keys[slot], firsts[slot], counts[slot] = key, at, 0
        counts[slot] += 1
        if counts[slot] > most or (counts[slot] == most and firsts[slot] < earliest):
            most, earliest = counts[slot], firsts[slot]
    # With a blank between each two words.
    return most * (chars[earliest + n] - chars[earliest] + n - 1) if most >= least else 0


@njit
def measure_repeated(running: Running, n: int, keys: Uint64s, mark: np.uint64) -> int:
    """Return the characters in n-grams that came before, taken from left to right, apart."""
    prefix, chars, sizes = running.bytes, running.chars, running.sizes
    repeated, at, mask = 0, 0, find_mask(len(prefix) - 1)
    while at < len(prefix) - n:
        key = prefix[at + n] - prefix[at] * power(sizes[at + n] - sizes[at])
        # Scattered first: the lowest bits of the hash, which the mark takes, would be missed.
        key = scatter(key) & ~MARKS | mark
        slot = find_marked(keys, mask, key, mark)
        if keys[slot] == key:
            repeated += chars[at + n] - chars[at]
            at += n
        else:
            keys[slot] = key
            at += 1
    return repeated
