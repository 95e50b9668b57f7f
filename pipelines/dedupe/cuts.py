"""Repeated passages taken out of all documents but one, with the map back to what was there.

A passage belongs to the document of the smallest rank among those that hold it, and that one keeps
it whole: characters are cut where they lie in a passage of another document and in none of their
own. So where passages overlap, some of one may stay in a second document. A run is cut together
with the marks that adjoin its first and last word.

Of the white space before and after a cut the side with more line breaks stays, of equals the left;
at an end of the text what lies there. So whole lines go with their line break, and paragraphs stay
apart. If there is no white space on either side, a blank takes the place of the cut, so that no
two words become one.
"""

import numpy as np
import pyarrow as pa

from pipelines.dedupe.passages import Pieces, locate_chars
from pipelines.edits.spans import Edited, Piece, replace
from pipelines.text.word_hashes import WordHashes
from pipelines.words import Text
from pipelines.words.chunks import space_size
from pipelines.words.compiled import njit
from pipelines.words.text_lines import break_size, find_break, strip_left, strip_right
from weighting.arrays import Bools, Int64s, Uint8s, Uint64s


def delete(
    texts_D: pa.StringArray, pieces: Pieces, found_2xM: Uint64s, ranks_D: Uint64s
) -> list[Edited]:
    """Return D texts without the passages that belong to other documents.

    `found_2xM` are the count and the owner's rank of each piece (`repeats.look_up`), `ranks_D` the
    documents' own, all different.
    """
    text = Text.view(texts_D)
    documents_C, starts_C, ends_C, blanks_C = find_cuts(
        text, paint(text, pieces, found_2xM, ranks_D)
    )
    starts_C, ends_C = locate_chars(text, documents_C, starts_C, ends_C)
    cuts: list[list[Piece]] = [[] for _ in range(len(texts_D))]
    for document, start, end, blank in zip(
        *(values.tolist() for values in (documents_C, starts_C, ends_C, blanks_C)), strict=True
    ):
        cuts[document].append(Piece(start, end, " " * blank))
    return [replace(text, some) for text, some in zip(texts_D.to_pylist(), cuts, strict=True)]


@njit
def paint(text: Text, pieces: Pieces, found_2xM: Uint64s, ranks_D: Uint64s) -> Bools:
    """Say for each byte of the texts' data whether it is to go: others' passages less one's own."""
    painted = np.zeros(len(text.data), np.bool_)
    word_hashes, blocks = pieces.word_hashes, len(pieces.kinds_B)
    # Others' passages first, then one's own, which take the paint off where they overlap.
    for own in (False, True):
        for document in range(len(ranks_D)):
            rank = ranks_D[document]
            for at in range(
                pieces.block_offsets_D1[document], pieces.block_offsets_D1[document + 1]
            ):
                if found_2xM[0, at] and (found_2xM[1, at] == rank) == own:
                    painted[pieces.starts_B[at] : pieces.ends_B[at]] = not own
            first, done = word_hashes.offsets_D1[document], text.offsets[document]
            windows = pieces.window_offsets_D1[document], pieces.window_offsets_D1[document + 1]
            for at in range(blocks + windows[0], blocks + windows[1]):
                if found_2xM[0, at] and (found_2xM[1, at] == rank) == own:
                    word = first + at - blocks - windows[0]
                    # Windows overlap: what the one before has painted is not painted again.
                    start = done
                    if word_hashes.starts_N[word] >= done:
                        start = reach_left(text, word_hashes, document, word)
                    done = reach_right(text, word_hashes, document, word + pieces.words - 1)
                    painted[start:done] = not own
    return painted


@njit
def reach_left(text: Text, word_hashes: WordHashes, document: int, word: int) -> int:
    """Return where the marks begin that adjoin a word on its left."""
    start, before = word_hashes.starts_N[word], word > word_hashes.offsets_D1[document]
    limit = word_hashes.ends_N[word - 1] if before else text.offsets[document]
    for at in range(start - 1, limit - 1, -1):
        space = space_size(text.data, at, start)
        if space:
            return int(at + space)
    return int(min(limit, start))


@njit
def reach_right(text: Text, word_hashes: WordHashes, document: int, word: int) -> int:
    """Return where the marks end that adjoin a word on its right."""
    at = word_hashes.ends_N[word]
    after = word + 1 < word_hashes.offsets_D1[document + 1]
    limit = word_hashes.starts_N[word + 1] if after else text.offsets[document + 1]
    while at < limit and not space_size(text.data, at, limit):
        at += 1
    return int(at)


@njit
def find_cuts(text: Text, painted: Bools) -> Int64s:
    """Return what to cut out of D texts, int64 [4, C]: the text, start, end, blanks to leave.

    Painted bytes with only white space between them are one cut.
    """
    # Painted bytes may go on from one text into the next, and are a cut in both.
    room = len(text.offsets)
    for at in range(1, len(painted)):
        room += painted[at] and not painted[at - 1]
    cuts, size = np.empty((4, room), np.int64), 0
    for document in range(len(text.offsets) - 1):
        at, stop = text.offsets[document], text.offsets[document + 1]
        while at < stop:
            if not painted[at]:
                at += 1
                continue
            start, end = at, skip_painted(text.data, painted, at, stop)
            at = end
            # White space at the ends of what is painted is left for `fit` to decide on.
            start = strip_left(text.data, start, end)
            end = strip_right(text.data, start, end)
            if start < end:
                cuts[0, size] = document
                cuts[1:, size] = fit(text.data, text.offsets[document], start, end, stop)
                size += 1
    return cuts[:, :size].copy()


@njit
def skip_painted(data: Uint8s, painted: Bools, at: int, stop: int) -> int:
    """Return where painted bytes end that have but white space between them."""
    end = at
    while at < stop and painted[at]:
        while at < stop and painted[at]:
            at += 1
        end, at = at, strip_left(data, at, stop)
    return end


@njit
def fit(data: Uint8s, first: int, start: int, end: int, stop: int) -> tuple[int, int, int]:
    """Return the bytes to cut for [start, end) in a text [first, stop), and the blanks to leave."""
    left, right = strip_right(data, first, start), strip_left(data, end, stop)
    if left == first and right == stop:
        return first, stop, 0
    if left == first:
        return start, right, 0
    if right == stop:
        return left, end, 0
    if left == start and right == end:
        return start, end, 1
    if left == start or count_breaks(data, end, right) > count_breaks(data, left, start):
        return left, end, 0
    return start, right, 0


@njit
def count_breaks(data: Uint8s, start: int, end: int) -> int:
    """Return the number of line breaks in bytes [start, end)."""
    count, at = 0, find_break(data, start, end)
    while at < end:
        count += 1
        at = find_break(data, at + break_size(data, at, end), end)
    return count
