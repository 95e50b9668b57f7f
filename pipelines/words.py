"""Features of words, computed once for each distinct whitespace-delimited chunk.

The reference word splitter (spaCy's blank English tokenizer) treats each run of non-whitespace by
itself, and nearly all such chunks are repeats. So a batch is cut into chunks and dictionary-encoded
by Arrow, only new chunks go through the splitter, and NumPy expands the result: exact, and some
hundred times faster than splitting every text.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import spacy

Ints = npt.NDArray[np.int64]
MEMO_LIMIT = 2_000_000  # chunks remembered by a process, some hundred bytes each


@cache
def _tokenizer() -> Callable[[str], Iterable[object]]:
    return spacy.blank("en").tokenizer


def split_words(chunk: str) -> list[str]:
    """Return spaCy's English tokens of a text; punctuation marks are tokens, white space is not."""
    return [text for token in _tokenizer()(chunk) if (text := str(token)) and not text.isspace()]


class ChunkFeatures:
    """Sums of per-chunk features over documents, with a memo of chunks seen before.

    `describe(words)` gives a fixed number of integers for the words of one chunk. The memo only
    saves time: results do not depend on what was seen before.
    """

    def __init__(self, describe: Callable[[Sequence[str]], Sequence[int]]) -> None:
        self._describe = describe
        self._memo: dict[str, Sequence[int]] = {}

    def sum_by_document(self, texts_D: pa.StringArray) -> Ints:
        """Return the features of D texts summed over their chunks, int64 [D, F]."""
        chunks = pc.utf8_split_whitespace(texts_D)
        encoded = chunks.flatten().dictionary_encode()
        features_KxF = self._look_up(encoded.dictionary.to_pylist())
        features_NxF = features_KxF[encoded.indices.to_numpy()]
        running = np.zeros((len(features_NxF) + 1, features_KxF.shape[1]), np.int64)
        np.cumsum(features_NxF, axis=0, out=running[1:])
        ends = np.cumsum(pc.list_value_length(chunks).to_numpy())
        starts = np.concatenate([[0], ends[:-1]]) if len(ends) else ends
        return np.asarray(running[ends] - running[starts])

    def _look_up(self, chunks: list[str]) -> Ints:
        if len(self._memo) > MEMO_LIMIT:
            self._memo.clear()
        memo = self._memo
        for chunk in chunks:
            if chunk not in memo:
                memo[chunk] = self._describe(split_words(chunk))
        width = len(self._describe([]))
        return np.array([memo[chunk] for chunk in chunks], np.int64).reshape(-1, width)
