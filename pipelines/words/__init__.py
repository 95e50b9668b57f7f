"""Words: spaCy's English ones, split once for all rules, some hundred times as fast.

They are exactly spaCy's, but where more than 1,024 characters have no blank among them: these are
cut first (see `english`).

spaCy treats each run of non-space characters by itself, and nearly all such chunks are repeats. So
the chunks of a batch are found and looked up in a vocabulary of chunks by compiled kernels; only
new chunks are split, most of them by a kernel too (`splitting`), the rest by spaCy.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from pipelines.words.chunks import count_words, expand, find_chunks
from pipelines.words.english import split_words
from pipelines.words.memo import Vocabulary
from pipelines.words.pieces import cut_chunks
from weighting.array_tools import to_offsets
from weighting.arrays import Int64s, Structs, Uint8s

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


def split_texts(text: Text) -> Words:
    """Return the words of D texts."""
    size = int(text.offsets[-1] - text.offsets[0])
    # Two chunks have a space between them, and each text may end with one more.
    starts, ends = np.empty((2, size // 2 + len(text.offsets)), np.int64)
    chunks_D = np.zeros(len(text.offsets) - 1, np.int64)
    found = find_chunks(text.data, text.offsets, starts, ends, chunks_D)
    starts_K, ends_K = starts[:found].copy(), ends[:found].copy()
    vocabulary = _vocabulary()
    pieces = cut_chunks(text.data, starts_K, ends_K)
    slots_P = vocabulary.look_up(text.data, pieces.starts_P, pieces.ends_P)
    words_K = count_words(slots_P, vocabulary.chunks)
    before_K1 = to_offsets(words_K)
    if len(pieces.starts_P) > found:  # in nearly all batches no chunk is cut
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


def forget_words() -> None:
    """Forget all chunks seen by this process, as for a fair measurement."""
    _vocabulary().forget()


@cache
def _vocabulary() -> Vocabulary:
    return Vocabulary()
