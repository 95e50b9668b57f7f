"""Repeated passages deleted from all documents but one."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.dedupe.cuts import delete
from pipelines.edits.spans import Piece, compose, map_starts, replace
from pipelines.settings import PassageSettings
from tests.pipelines.dedupe.plain import (
    SETTINGS,
    count_holders,
    documents,
    find,
    gaps,
    list_pieces,
    list_spans,
    texts,
)


def delete_all(texts_D, ranks_D, wanted=SETTINGS, sizes=(), partitions=1):
    ranks_D = np.array(ranks_D, np.uint64)
    edited = []
    for some, pieces, found in find(texts_D, wanted, ranks_D, sizes, partitions):
        ranks = ranks_D[len(edited) : len(edited) + len(some)]
        edited += delete(pa.array(some, pa.string()), pieces, found, ranks)
    return edited


@st.composite
def ranked(draw):
    """Texts, and a number of its own for each."""
    texts_D = draw(documents)
    return texts_D, draw(st.permutations(range(len(texts_D))))


def list_places(texts_D, ranks_D, own):
    """For each text the places of the repeated passages that are its own, or others'."""
    owners = {
        key: min(held, key=ranks_D.__getitem__)
        for key, held in count_holders(texts_D, SETTINGS).items()
    }
    return [
        [
            place
            for key, places in list_pieces(text, SETTINGS).items()
            for place in places
            if key in owners and (owners[key] == document) == own
        ]
        for document, text in enumerate(texts_D)
    ]


def list_cut(edited):
    """The places of a text that were cut, white space around passages with them."""
    return {at for _, _, start, end in edited.spans.tolist() for at in range(start, end)}


def adjoins(at, kept, in_words):
    """Whether the first word before or behind a mark is kept: marks go with what they adjoin."""
    before = next((place for place in range(at, -1, -1) if place in in_words), -1)
    behind = next((place for place in range(at, max(in_words) + 1) if place in in_words), -1)
    return at not in in_words and bool({before, behind} & kept)


@settings(max_examples=100)
@given(ranked())
def test_what_goes_lies_in_passages_of_others_and_in_none_of_ones_own(case):
    """But for the marks that adjoin a run."""
    texts_D, ranks_D = case
    own_D, others_D = (list_places(texts_D, ranks_D, own) for own in (True, False))
    edited_D = delete_all(texts_D, ranks_D)
    for text, edited, own, others in zip(texts_D, edited_D, own_D, others_D, strict=True):
        gone = list_cut(edited)
        kept = {at for place in own for at in range(*place)}
        wanted = {at for place in others for at in range(*place)} - kept
        in_words = {at for span in list_spans(text)[0] for at in range(*span)}
        assert not gone & kept
        assert not (gone - wanted) & in_words
        left = {at for at in wanted - gone if not text[at].isspace()}
        assert all(adjoins(at, kept, in_words) for at in left)


@settings(max_examples=400)
@given(ranked())
def test_words_that_stay_stay_apart(case):
    texts_D, ranks_D = case
    for text, edited in zip(texts_D, delete_all(texts_D, ranks_D), strict=True):
        gone = list_cut(edited)
        words = zip(*list_spans(text), strict=True)
        left = [word for (start, _), word in words if start not in gone]
        assert list_spans(edited.text)[1] == left


def test_texts_side_by_side_that_both_go_whole_are_cut_each_by_itself():
    edited = delete_all(["aaaa"] * 9, [*range(1, 9), 0])
    assert [each.text for each in edited] == [""] * 8 + ["aaaa"]
    assert all(each.spans.tolist() == [[0, 0, 0, 4]] for each in edited[:8])


@given(ranked())
def test_maps_lead_back_to_equal_characters(case):
    texts_D, ranks_D = case
    for text, edited in zip(texts_D, delete_all(texts_D, ranks_D), strict=True):
        places = map_starts(edited.spans, np.arange(len(edited.text)))
        left = {at for start, end, _, _ in edited.spans.tolist() for at in range(start, end)}
        for at, place in enumerate(places.tolist()):
            assert edited.text[at] == (" " if at in left else text[place])


@given(ranked(), st.lists(st.integers(0, 3), max_size=4), st.integers(1, 5))
def test_what_is_left_does_not_depend_on_units_and_partitions(case, sizes, partitions):
    texts_D, ranks_D = case
    some, again = (
        delete_all(texts_D, ranks_D, SETTINGS, *how) for how in ((), (sizes, partitions))
    )
    assert [edited.text for edited in some] == [edited.text for edited in again]


passages = st.integers(0, 4).map(lambda at: [f"p{letter}{'qrstu'[at]}" for letter in "abcd"])
mixed = st.lists(st.lists(passages, max_size=4), min_size=1, max_size=5)


@given(mixed, gaps.filter(lambda gap: gap.isspace()), st.data())
def test_passages_that_are_apart_stay_in_exactly_one_document(held_D, gap, data):
    def name(document, place):
        return f"f{'qrstu'[document]}{'qrstu'[place]}"

    texts_D = [
        gap.join([name(at, 0), *(gap.join([*some, name(at, n)]) for n, some in enumerate(held, 1))])
        for at, held in enumerate(held_D)
    ]
    ranks_D = data.draw(st.permutations(range(len(texts_D))))
    left_D = [edited.text.split() for edited in delete_all(texts_D, ranks_D)]
    for passage in {tuple(passage) for held in held_D for passage in held}:
        holders = [at for at, held in enumerate(held_D) if list(passage) in held]
        keeper = min(holders, key=ranks_D.__getitem__)
        assert [at for at, left in enumerate(left_D) if {*passage} & {*left}] == [keeper]
        assert left_D[keeper].count(passage[0]) == held_D[keeper].count(list(passage))
    for document, left in enumerate(left_D):
        names = [word for word in left if word.startswith("f")]
        assert names == [name(document, at) for at in range(len(held_D[document]) + 1)]


@given(texts)
def test_without_repeats_nothing_changes(text):
    [edited] = delete_all([text], [0])
    assert edited.text == text
    assert not len(edited.spans)


RUN = "one two three"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"a {RUN} b", "a b"),
        (f"a ({RUN.upper()}). b", "a b"),
        (f"a\u2014{RUN}, b", "a b"),
        (f"a\u2014{RUN}\u2014b", "a b"),
        (f"a\t{RUN} b", "a\tb"),
        (f"a {RUN}\nb", "a\nb"),
        (f"a\n{RUN} b", "a\nb"),
        (f"a\n{RUN}\nb", "a\nb"),
        (f"a\n{RUN}\r\nb", "a\nb"),
        (f"a\r\n{RUN}\r\nb\r\n", "a\r\nb\r\n"),
        (f"a\n\n{RUN}\n\nb", "a\n\nb"),
        (f"a\n{RUN}\n\nb", "a\n\nb"),
        (f"a\n\n{RUN}\nb", "a\n\nb"),
        (f"a\u3000{RUN}\u2028b", "a\u2028b"),
        (f"  {RUN}\nb", "  b"),
        (f"a\n{RUN}\n", "a\n"),
        (f"a\n{RUN}", "a"),
        (f"\n {RUN}\n{RUN}\n", ""),
        (f"a {RUN} \n {RUN}\nb", "a\nb"),
        (f"é {RUN} é {RUN} é", "é é é"),
    ],
)
def test_white_space_of_one_side_stays(text, left):
    wanted = PassageSettings(words=3, line_chars=99)
    edited, keeper = delete_all([text, RUN], [1, 0], wanted)
    assert (edited.text, keeper.text) == (left, RUN)


def test_the_map_composes_with_that_of_an_earlier_edit():
    source = f"a b c {RUN} d"
    before = replace(source, [Piece(2, 4, "")])
    [after, _] = delete_all([before.text, RUN], [1, 0])
    assert after.text == "a c d"
    spans = compose(before.spans, after.spans)
    assert [source[at] for at in map_starts(spans, np.arange(5)).tolist()] == list("a c d")
