"""Which tokens of a unit lie in repeated passages and in evaluation items."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from weighting.array_tools import expand_ranges, number_groups, to_offsets
from weighting.arrays import Bools, Int32s, Int64s


class Marks(NamedTuple):
    """Of N tokens: the documents that hold the passage it lies in (1: none), and whether it is
    part of an evaluation item."""

    documents_N: Int32s
    contaminated_N: Bools


def has_marks(kept: pa.Table) -> bool:
    """Say whether any document (DOCUMENTS) has a repeated passage or part of an item."""
    return any(len(kept[name].combine_chunks().flatten()) for name in ("passages", "contaminated"))


def mark_tokens(kept: pa.Table, starts_N: Int32s, offsets_D1: Int64s) -> Marks:
    """Return the marks of the tokens of D documents (DOCUMENTS), end-of-text tokens included.

    `starts_N` are the tokens' first characters, the length of the text for the last of each. A
    token is marked where it shares a character with the piece of text.
    """
    documents_N = np.ones(len(starts_N), np.int32)
    passages = kept["passages"].combine_chunks()
    counts = passages.flatten().field("documents").to_numpy().astype(np.int32)
    tokens, pieces = _find_tokens(passages, starts_N, offsets_D1)
    np.maximum.at(documents_N, tokens, counts[pieces])
    contaminated_N = np.zeros(len(starts_N), bool)
    tokens, _ = _find_tokens(kept["contaminated"].combine_chunks(), starts_N, offsets_D1)
    contaminated_N[tokens] = True
    return Marks(documents_N, contaminated_N)


def _find_tokens(
    spans: pa.ListArray, starts_N: Int32s, offsets_D1: Int64s
) -> tuple[Int64s, Int64s]:
    """Return the tokens in pieces of text and, for each, the number of the piece it is in."""
    lengths_D = pc.list_value_length(spans).to_numpy()
    document_S = number_groups(to_offsets(lengths_D))
    # Characters of all documents in one sequence, so that one search serves all of them.
    size_D = starts_N[offsets_D1[1:] - 1].astype(np.int64) + 1
    base_D = np.cumsum(size_D) - size_D
    places_N = starts_N + np.repeat(base_D, np.diff(offsets_D1))
    start_S, end_S = (
        spans.flatten().field(side).to_numpy() + base_D[document_S] for side in ("start", "end")
    )
    first_S = np.searchsorted(places_N, start_S, "right") - 1
    # Tokens that begin within one character share their place: the earliest of them holds it too.
    first_S = np.searchsorted(places_N, places_N[first_S], "left")
    count_S = np.maximum(np.searchsorted(places_N, end_S, "left") - first_S, 0)
    return expand_ranges(first_S, count_S), number_groups(to_offsets(count_S))
