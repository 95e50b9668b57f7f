"""Streams whose token at position i has id i + 1 and weight i / 2, cut into any segments.

Their end-of-text is 0: so the input of every target is one less than the target.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from trainer.data.corpus import Stream
from weighting.contracts.shards import Segment

# Segments of documents of tokens: each list of sizes is a segment.
Sizes = Sequence[Sequence[int]]
sizes_of_documents = st.lists(
    st.lists(st.integers(0, 9), min_size=1, max_size=5).filter(any), min_size=1, max_size=5
)


def make_stream(sizes: Sizes) -> Stream:
    starts_S1 = np.cumsum([0, *map(sum, sizes)], dtype=np.int64)
    segments = tuple(
        make_segment(int(start), documents)
        for start, documents in zip(starts_S1, sizes, strict=False)
    )
    return Stream(segments, (Path("a.arrow"),) * len(segments), starts_S1, eos_id=0)


def make_segment(start: int, sizes: Sequence[int]) -> Segment:
    positions_N = np.arange(start, start + sum(sizes))
    return Segment(
        doc_ids=None,
        sources=None,
        offsets_D1=np.cumsum([0, *sizes], dtype=np.int32),
        ids_N=(positions_N + 1).astype(np.uint16),
        weights_N=(positions_N / 2).astype(np.float32),
        reasons_N=np.zeros(len(positions_N), np.uint8),
    )


def documents_of(sizes: Sizes) -> np.ndarray:
    """The document of each token."""
    flat = [size for segment in sizes for size in segment]
    return np.repeat(np.arange(len(flat)), flat)
