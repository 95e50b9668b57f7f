"""The normal form against the plain way, and the sources of its bytes."""

import unicodedata
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.text.characters import fold, is_blank, is_dropped
from pipelines.text.normal_form import CHANGING, POINTS, normalise
from pipelines.text.stepwise import NUMBER
from pipelines.words import Text
from tests.pipelines.dedupe.simple import PUNCTUATION, simplify, stays_in_place, texts, view

SURROGATES = range(0xD800, 0xE000)


def read(normal):
    data, offsets = normal.text
    return [bytes(data[a:b]).decode() for a, b in pairwise(offsets)]


@given(st.lists(texts, max_size=5))
@example(["x", "Σ", "ΑΣ", "Σ.Σ a\u0301!Σ!\u0301 b", ""])
@example(["\u0301 a", " \u0301 \u0301 a \u0301 ", "a \u0301 Σ \u0301 "])
@example(["a\u0301!Σ b", "1\u1b44\u0301\u302e", "\u302f\u302e", "\U0001d15e.\U000e0100 x"])
def test_it_is_that_of_the_plain_way(documents):
    assert read(normalise(view(documents))) == [simplify(text) for text in documents]


def test_it_is_that_of_the_plain_way_for_every_character():
    points = [point for some in CHANGING for point in some if point not in SURROGATES]
    documents = [f"a{chr(point)}b {chr(point)}" for point in points]
    assert read(normalise(view(documents))) == [simplify(text) for text in documents]


def test_no_other_character_changes():
    known = {*SURROGATES, *(point for some in CHANGING for point in some)}
    others = "".join(chr(point) for point in range(POINTS) if point not in known)
    assert others.lower() == unicodedata.normalize("NFD", others) == others
    assert not NUMBER.search(others)
    assert not any(is_dropped(c) or is_blank(c) or unicodedata.combining(c) for c in others)
    assert all(fold(c) == c for c in others)


def test_punctuation_is_datatroves():
    peer = pytest.importorskip("datatrove.utils.text")
    assert set(peer.PUNCTUATION) == PUNCTUATION
    text = "Ένας ΟΔΟΣ, 1,234.5 «naïve» cafe\u0301 — İ! 12\u066b5 \x1f\u2003 한글 10,000,000"
    assert read(normalise(view([text]))) == [peer.simplify_text(text)]


@given(st.lists(texts, max_size=4))
def test_each_byte_knows_its_source(documents):
    text = view(documents)
    normal = normalise(text)
    assert len(normal.origins) == len(normal.text.data) + len(documents)
    for at, document in enumerate(documents):
        first, last = normal.text.offsets[at : at + 2]
        sources = normal.origins[first + at : last + at + 1]
        source = bytes(text.data[text.offsets[at] : text.offsets[at + 1]])
        starts = {len(document[:place].encode()) for place in range(len(document) + 1)}
        assert {int(place - text.offsets[at]) for place in sources} <= starts
        if not stays_in_place(document):
            continue
        assert (np.diff(sources) >= 0).all()
        # What is before a place in the source becomes what is before it in the normal form.
        for place in range(first, last):
            if place == first or normal.origins[place + at - 1] < normal.origins[place + at]:
                before = source[: normal.origins[place + at] - text.offsets[at]].decode()
                got = bytes(normal.text.data[first:place]).decode()
                assert simplify(before) == got.strip()


@pytest.mark.parametrize(
    ("document", "sources"),
    [
        ("  a", [2, 3]),
        ("12,345 x", [0, 6, 7, 8]),
        ("1,2,3", [0, 3, 4, 5]),
        ("e\u0301!", [0, 3]),
        ("a - b.", [0, 1, 4, 5]),
        ("한.", [0] * 9 + [3]),
        ("İa", [0, 2, 3]),
        ("x Σ.", [0, 1, 2, 2, 4]),
        ("ΑΣ,", [0, 0, 2, 2, 4]),
        ("...", [3]),
        ("", [0]),
    ],
)
def test_sources(document, sources):
    assert normalise(view([document])).origins.tolist() == sources


@given(st.lists(texts, min_size=2, max_size=4))
def test_texts_before_and_after_change_nothing(documents):
    whole = view(documents)
    later = Text(whole.data, whole.offsets[1:])
    normal, alone = normalise(whole), normalise(later)
    assert read(normal)[1:] == read(alone)
    assert normal.origins[normal.text.offsets[1] + 1 :].tolist() == alone.origins.tolist()


def test_surrogates_stay():
    data = np.frombuffer("a\ud800Σb".encode("utf-8", "surrogatepass"), np.uint8)
    normal = normalise(Text(data, np.array([0, len(data)])))
    assert bytes(normal.text.data).decode("utf-8", "surrogatepass") == "a\ud800σb"
