"""Gopher quality rules (Rae et al. 2021, arXiv 2112.11446, A.1.1), as datatrove reads them.

T are all tokens of the word splitter, W those with a character that is not punctuation.
"""

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.rules.batch import Batch
from pipelines.rules.bounds import Bounds
from pipelines.rules.punctuation import PUNCTUATION
from pipelines.words import ChunkFeatures

Floats = npt.NDArray[np.float64]

RULES: Mapping[str, Bounds] = {
    "gopher_words": Bounds(50, 100_000),  # |W|
    "gopher_mean_word_length": Bounds(3, 10),  # characters, over W
    "gopher_hashes": Bounds(None, 0.1),  # "#" per token
    "gopher_ellipses": Bounds(None, 0.1),  # "..." and "…" per token
    "gopher_bullet_lines": Bounds(None, 0.9),  # share of lines that start with "•" or "-"
    "gopher_ellipsis_lines": Bounds(None, 0.3),  # share of lines that end in an ellipsis
    "gopher_alphabetic": Bounds(0.8, None),  # share of T with an alphabetic character
    "gopher_stop_words": Bounds(2, None),  # distinct ones of STOP_WORDS
}
STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")


def annotate(batch: Batch) -> dict[str, Floats]:
    """Return the eight values of D documents, float64 [D] each; NaN where a denominator is 0."""
    texts_D = batch.texts_D
    sums_DxF = _FEATURES.sum_by_document(texts_D)
    tokens, words, chars, alphabetic, hashes, ellipses = sums_DxF[:, :6].T
    bullets, trailing, lines = _count_lines(texts_D)
    return {
        "gopher_words": words.astype(np.float64),
        "gopher_mean_word_length": _divide(chars, words),
        "gopher_hashes": _divide(hashes, tokens),
        "gopher_ellipses": _divide(ellipses, tokens),
        "gopher_bullet_lines": _divide(bullets, lines),
        "gopher_ellipsis_lines": _divide(trailing, lines),
        "gopher_alphabetic": _divide(alphabetic, tokens),
        "gopher_stop_words": (sums_DxF[:, 6:] > 0).sum(axis=1).astype(np.float64),
    }


def describe(tokens: Sequence[str]) -> list[int]:
    """Return the features of one chunk: what `annotate` sums, then one count for each stop word.

    No feature spans white space, so sums over chunks are exact.
    """
    words = [token for token in tokens if not PUNCTUATION.issuperset(token)]
    chunk = "".join(tokens)
    return [
        len(tokens),
        len(words),
        sum(map(len, words)),
        sum(any(map(str.isalpha, token)) for token in tokens),
        chunk.count("#"),
        chunk.count("...") + chunk.count("…"),
        *(tokens.count(word) for word in STOP_WORDS),
    ]


_FEATURES = ChunkFeatures(describe)


def _divide(part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> Floats:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)


def _count_lines(texts_D: pa.StringArray) -> tuple[npt.NDArray[np.int64], ...]:
    """Return lines with a bullet, lines that end in an ellipsis, and all lines, int64 [D] each."""
    by_document = [text.splitlines() for text in texts_D.to_pylist()]
    counts_D = np.fromiter(map(len, by_document), np.int64, len(by_document))
    lines = pa.array(chain.from_iterable(by_document), pa.string())
    left, right = pc.utf8_ltrim_whitespace(lines), pc.utf8_rtrim_whitespace(lines)
    bullets = pc.or_(pc.starts_with(left, "•"), pc.starts_with(left, "-"))
    trailing = pc.or_(pc.ends_with(right, "..."), pc.ends_with(right, "…"))
    document_L = np.repeat(np.arange(len(counts_D)), counts_D)
    sums = [
        np.bincount(document_L[np.asarray(hits)], minlength=len(counts_D)).astype(np.int64)
        for hits in (bullets, trailing)
    ]
    return (*sums, counts_D)
