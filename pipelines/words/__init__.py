"""Words: spaCy's English ones, split once for all rules, some hundred times as fast.

Where a text's language is known and is another one, what ends a word there is asked first
(`segments`), and special cases of English are left out.

They are exactly spaCy's, but where more than 1,024 characters have no blank among them: these are
cut first (see `english`).

spaCy treats each run of non-space characters by itself, and nearly all such chunks are repeats. So
the chunks of a batch are found and looked up in a vocabulary of chunks by compiled kernels; only
new chunks are split, most of them by a kernel too (`splitting`), the rest by spaCy.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from pipelines.words.chunks import count_words, expand, find_chunks
from pipelines.words.english import split_words
from pipelines.words.memo import Vocabulary
from pipelines.words.pieces import cut_chunks
from pipelines.words.segments import cut_at, find_cuts, mark_foreign
from weighting.array_tools import to_offsets
from weighting.arrays import Bools, Int64s, Structs, Uint8s

__all__ = ["Text", "Words", "forget_words", "split_texts", "split_words"]


class Text(NamedTuple):
    """D texts as UTF-8 bytes; text d is data[offsets[d]:offsets[d + 1]]."""

    data: Uint8s
    offsets: Int64s  # [D+1]

    @classmethod
    def view(cls, texts_D: pa.StringArray) -> "Text":
        """Return an Arrow array's own bytes, without a copy."""
        _, offsets, data = texts_D.buffers()
        if not len(texts_D):
            return cls(np.empty(0, np.uint8), np.zeros(1, np.int64))
        all_offsets = np.frombuffer(offsets, np.int32)
        window = all_offsets[texts_D.offset : texts_D.offset + len(texts_D) + 1]
        return cls(np.frombuffer(data or b"", np.uint8), window.astype(np.int64))


class Words(NamedTuple):
    """The words of D texts: places in `vocabulary` (WORD, see `memo`), and the chunks they are in.

    Words of text d are places[offsets[d]:offsets[d + 1]]; its chunks are the bytes from
    chunk_starts to chunk_ends, chunk_words words each, bounded by chunk_offsets in the same way.
    """

    places: Int64s  # [N]
    offsets: Int64s  # [D+1]
    vocabulary: Structs
    chunk_starts: Int64s  # [K]
    chunk_ends: Int64s
    chunk_words: Int64s
    chunk_offsets: Int64s  # [D+1]

    @property
    def counts_D(self) -> Int64s:
        """The number of words of each text."""
        return np.diff(self.offsets)


class Chunks(NamedTuple):
    """The K chunks of D texts by their bytes, and the number of each text's."""

    starts_K: Int64s
    ends_K: Int64s
    counts_D: Int64s


def split_texts(text: Text, languages_D: Sequence[str | None] | None = None) -> Words:
    """Return the words of D texts.

    `languages_D` are their languages, ISO 639 codes; None, for a text or for all, means English.
    In other languages a chunk ends where a word does.
    """
    starts_K, ends_K, chunks_D = _list_chunks(text)
    foreign_K = None
    if languages_D is not None and (foreign_D := mark_foreign(languages_D)).any():
        cuts = find_cuts(text.data, text.offsets, languages_D)
        starts_K, ends_K, chunks_D = cut_at(text.data, starts_K, ends_K, chunks_D, cuts)
        foreign_K = np.repeat(foreign_D, chunks_D)
    vocabulary = _vocabulary()
    pieces = cut_chunks(text.data, starts_K, ends_K)
    foreign_P = _spread(foreign_K, pieces.offsets_K1)
    slots_P = vocabulary.look_up(text.data, pieces.starts_P, pieces.ends_P, foreign_P)
    words_K = count_words(slots_P, vocabulary.chunks)
    before_K1 = to_offsets(words_K)
    if len(pieces.starts_P) > len(starts_K):  # in nearly all batches no chunk is too long
        before_K1 = before_K1[pieces.offsets_K1]
        words_K = np.diff(before_K1)
    places = np.empty(before_K1[-1], np.int64)
    expand(slots_P, vocabulary.chunks, places)
    chunk_offsets = to_offsets(chunks_D)
    return Words(
        places=places,
        offsets=before_K1[chunk_offsets],
        vocabulary=vocabulary.words,
        chunk_starts=starts_K,
        chunk_ends=ends_K,
        chunk_words=words_K,
        chunk_offsets=chunk_offsets,
    )


def _list_chunks(text: Text) -> Chunks:
    """Return the runs of non-space characters of D texts."""
    size = int(text.offsets[-1] - text.offsets[0])
    # Two chunks have a space between them, and each text may end with one more.
    starts, ends = np.empty((2, size // 2 + len(text.offsets)), np.int64)
    counts_D = np.zeros(len(text.offsets) - 1, np.int64)
    found = find_chunks(text.data, text.offsets, starts, ends, counts_D)
    return Chunks(starts[:found].copy(), ends[:found].copy(), counts_D)


def _spread(chosen_K: Bools | None, offsets_K1: Int64s) -> Bools | None:
    """Return which pieces are of the chosen ones of K chunks; None where none is chosen."""
    return None if chosen_K is None else np.repeat(chosen_K, np.diff(offsets_K1))


def forget_words() -> None:
    """Forget all chunks seen by this process, as for a fair measurement."""
    _vocabulary().forget()


@cache
def _vocabulary() -> Vocabulary:
    return Vocabulary()
