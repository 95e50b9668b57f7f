"""Laws of source maps."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.edits.spans import (
    UNCHANGED,
    Piece,
    compose,
    map_ends,
    map_starts,
    replace,
    to_arrow,
)
from weighting.contracts.documents import SPANS


@st.composite
def edits_of(draw, text):
    """Pieces of a text and their replacements, some empty, some touching, some equal."""
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pairs = list(zip(cuts[::2], cuts[1::2], strict=False))
    return [Piece(a, b, draw(st.text("abXY", max_size=3))) for a, b in pairs]


@st.composite
def chains(draw, length):
    """A text and the results of edits made one after the other."""
    source = draw(st.text("abcé😀", max_size=12))
    edited = []
    text = source
    for _ in range(length):
        edited.append(replace(text, draw(edits_of(text))))
        text = edited[-1].text
    return source, edited


def positions(text):
    return np.arange(len(text) + 1)


def assert_leads_back(source, text, spans):
    """What lies between spans is equal, and spans are sorted and apart."""
    end = source_end = 0
    for row, (start, next_end, source_start, next_source_end) in enumerate(spans.tolist()):
        assert start <= next_end
        assert source_start <= next_source_end
        assert start > end or row == 0
        assert text[end:start] == source[source_end:source_start]
        end, source_end = next_end, next_source_end
    assert text[end:] == source[source_end:]


@given(chains(1))
def test_between_spans_nothing_changed(chain):
    source, [edited] = chain
    assert_leads_back(source, edited.text, edited.spans)


@given(chains(1), st.data())
def test_replace_does_what_it_says(chain, data):
    source, _ = chain
    pieces = data.draw(edits_of(source))
    expected, position = "", 0
    for start, end, replacement in pieces:
        expected += source[position:start] + replacement
        position = end
    assert replace(source, pieces).text == expected + source[position:]


@given(chains(2))
def test_composed_edits_lead_back_to_the_first_source(chain):
    source, [first, second] = chain
    assert_leads_back(source, second.text, compose(first.spans, second.spans))


@given(chains(3))
def test_composition_is_associative(chain):
    _, [first, second, third] = chain
    left = compose(compose(first.spans, second.spans), third.spans)
    right = compose(first.spans, compose(second.spans, third.spans))
    assert left.tolist() == right.tolist()


@given(chains(1))
def test_an_unchanged_text_is_the_identity(chain):
    spans = chain[1][0].spans
    assert compose(spans, UNCHANGED).tolist() == spans.tolist()
    assert compose(UNCHANGED, spans).tolist() == spans.tolist()
    assert map_starts(UNCHANGED, np.arange(5)).tolist() == list(range(5))
    assert map_ends(UNCHANGED, np.arange(5)).tolist() == list(range(5))


def map_plainly(spans, length, source_length):
    """The source range of each character of the text, by walking over the spans."""
    ranges = []
    end = source_end = 0
    for start, next_end, source_start, next_source_end in [
        *spans.tolist(),
        [length, length, source_length, source_length],
    ]:
        ranges += [(source_end + i, source_end + i + 1) for i in range(start - end)]
        ranges += [(source_start, next_source_end)] * (next_end - start)
        end, source_end = next_end, next_source_end
    return ranges


@given(chains(1))
def test_positions_map_to_the_source_of_their_character(chain):
    source, [edited] = chain
    ranges = map_plainly(edited.spans, len(edited.text), len(source))
    starts = map_starts(edited.spans, positions(edited.text))
    ends = map_ends(edited.spans, positions(edited.text))
    assert list(zip(starts[:-1], ends[1:], strict=True)) == ranges
    assert starts[-1] == len(source)
    assert ends[0] == 0


@given(chains(2))
def test_maps_are_monotonic(chain):
    source, [first, second] = chain
    spans = compose(first.spans, second.spans)
    for mapped in (
        map_starts(spans, positions(second.text)),
        map_ends(spans, positions(second.text)),
    ):
        assert (np.diff(mapped) >= 0).all()
        assert mapped.min() >= 0
        assert mapped.max() <= len(source)


@pytest.mark.parametrize(
    ("pieces", "text", "spans"),
    [
        ([], "abcdef", []),
        ([Piece(1, 2, "b")], "abcdef", []),
        ([Piece(1, 2, "XY")], "aXYcdef", [[1, 3, 1, 2]]),
        ([Piece(0, 2, ""), Piece(5, 6, "")], "cde", [[0, 0, 0, 2], [3, 3, 5, 6]]),
        ([Piece(3, 3, "X")], "abcXdef", [[3, 4, 3, 3]]),
        ([Piece(1, 2, "X"), Piece(2, 3, "YZ")], "aXYZdef", [[1, 4, 1, 3]]),
    ],
)
def test_examples(pieces, text, spans):
    edited = replace("abcdef", pieces)
    assert (edited.text, edited.spans.tolist()) == (text, spans)


def test_maps_go_to_arrow():
    spans = replace("abcdef", [Piece(1, 2, "XY"), Piece(4, 6, "")]).spans
    array = to_arrow([UNCHANGED, spans, UNCHANGED])
    array.validate(full=True)
    assert array.type == SPANS
    names = ("start", "end", "source_start", "source_end")
    assert array.to_pylist() == [
        [],
        [dict(zip(names, row, strict=True)) for row in spans.tolist()],
        [],
    ]
    assert to_arrow([]) == pa.array([], SPANS)
