"""Splitting words by remembered chunks is exact."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.words import ChunkFeatures, split_words

pieces = st.sampled_from(
    ["don't", "e.g.", "U.S.", "(see", "https://x.org/a?b=1", "…", "...", "#", "50%", "naïve",
     "word", "Mr.", "a-b", "\u3000", " ", "\n", "\t", "\x1f", "\x85", ":)", "I'm", "«", "日本語"]
)  # fmt: skip
texts = st.lists(pieces | st.text(max_size=5), max_size=25).map("".join)


@settings(max_examples=200, deadline=None)
@given(texts)
def test_words_of_chunks_are_words_of_the_text(text):
    by_chunk = [word for chunk in text.split() for word in split_words(chunk)]
    assert by_chunk == split_words(text)


@settings(deadline=None)
@given(st.lists(texts, max_size=6))
def test_sums_by_document_equal_a_loop(documents):
    features = ChunkFeatures(lambda words: [len(words), sum(map(len, words))])
    expected = [[len(split_words(text)), sum(map(len, split_words(text)))] for text in documents]
    array = pa.array(documents, pa.string())
    for _ in range(2):  # the second time from the memo
        assert np.array_equal(
            features.sum_by_document(array), np.array(expected, np.int64).reshape(-1, 2)
        )
