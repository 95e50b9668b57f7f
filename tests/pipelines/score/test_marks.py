"""Which tokens lie in marked pieces of text: against a look at every character."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipelines.score.marks import has_marks, mark_tokens
from weighting.contracts.documents import CONTAMINATED, PASSAGES


@st.composite
def documents(draw):
    """Texts as token lengths (0: begins inside a character), with pieces as (start, end, count)."""
    lengths = draw(st.lists(st.integers(0, 3), max_size=8))
    size = sum(lengths)
    ends = st.tuples(st.integers(0, size), st.integers(0, size)).map(sorted)
    pieces = st.lists(st.tuples(ends, st.integers(2, 5)), max_size=3)
    return lengths, [(*span, count) for span, count in draw(pieces)] if size else []


def tabulate(corpus):
    passages = [
        [{"start": a, "end": b, "kind": "run", "documents": n} for a, b, n in pieces]
        for _, pieces in corpus
    ]
    items = [
        [{"start": a, "end": b, "item": "x"} for a, b, n in pieces if n > 3] for _, pieces in corpus
    ]
    columns = {
        "passages": pa.array(passages, PASSAGES),
        "contaminated": pa.array(items, CONTAMINATED),
    }
    return pa.table(columns)


def list_starts(corpus):
    """First characters of the tokens and of the end-of-text tokens; offsets of the documents."""
    starts, offsets = [], [0]
    for lengths, _ in corpus:
        starts += [0, *np.cumsum(lengths, dtype=int).tolist()]
        offsets.append(len(starts))
    return np.array(starts, np.int32), np.array(offsets)


@given(st.lists(documents(), min_size=1, max_size=4))
def test_a_token_is_marked_where_it_shares_a_character_with_a_piece(corpus):
    starts, offsets = list_starts(corpus)
    marks = mark_tokens(tabulate(corpus), starts, offsets)
    expected, contaminated = [], []
    for lengths, pieces in corpus:
        firsts = [0, *np.cumsum(lengths, dtype=int).tolist()]
        for number, first in enumerate(firsts):
            # A token that begins within a character shares it with the token that completes it.
            last = next((place for place in firsts[number:] if place > first), first)
            hits = [n for a, b, n in pieces if a < last and b > first]
            expected.append(max([1, *hits]))
            contaminated.append(any(n > 3 for n in hits))
    assert marks.documents_N.tolist() == expected
    assert marks.contaminated_N.tolist() == contaminated


def test_pieces_are_looked_for_in_both_columns():
    nothing = tabulate([([1, 2], [])])
    assert not has_marks(nothing)
    assert has_marks(tabulate([([1, 2], [(0, 1, 2)])]))
    assert has_marks(tabulate([([1, 2], [(0, 1, 5)])]))
