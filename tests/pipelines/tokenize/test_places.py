"""The place of each token: by the tokens' bytes, or by what the library says, text by text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.tokenize.places import Spelling, find_characters, follow_places, read_places
from weighting.arrays import Int64s, Uint32s
from weighting.vocabulary import Vocabulary

EOS = 0
LENGTHS = Vocabulary([b"x" * size for size in range(10)], EOS, frozenset({EOS}), None)
SPELLED = [*(bytes([byte]) for byte in range(256)), b"th", b"<s>"]
BYTES = Vocabulary(SPELLED, 257, frozenset({257}), None)
hard = st.lists(st.text(st.sampled_from("aé日🍦 \n"), max_size=12), max_size=5)


def cut(texts, random):
    """Any cutting of the texts' bytes into tokens; ids stand for their own length here."""
    lists = []
    for text in texts:
        left, part = len(text.encode()), []
        while left:
            part.append(random.randint(1, min(left, 9)))
            left -= part[-1]
        lists.append(part)
    return lists


def end(lists) -> tuple[Uint32s, Int64s]:
    ids = np.array([i for part in lists for i in [*part, EOS]], np.uint32)
    return ids, np.cumsum([0, *(len(part) + 1 for part in lists)])


@given(hard, st.randoms())
def test_character_starts_point_at_each_tokens_first_character(texts, random):
    lists = cut(texts, random)
    expected = []
    for text, part in zip(texts, lists, strict=True):
        owner = [at for at, character in enumerate(text) for _ in character.encode()]
        firsts = np.cumsum([0, *part])[:-1]
        expected += [owner[first] for first in firsts] + [len(text)]
    assert find_characters(*end(lists), {}, texts, LENGTHS).tolist() == expected


@given(hard, st.randoms())
def test_a_text_whose_places_are_known_moves_no_other(texts, random):
    lists = cut(texts, random)
    before = np.split(find_characters(*end(lists), {}, texts, LENGTHS), end(lists)[1][1:-1])
    odd, known = ["e\u0301x", *texts], np.array([0, 2], np.int32)
    after = find_characters(*end([[3, 1], *lists]), {0: known}, odd, LENGTHS)
    assert after[:3].tolist() == [0, 2, 3]
    assert after[3:].tolist() == [place for part in before for place in part.tolist()]


@given(st.lists(st.text(max_size=8), max_size=6), st.randoms())
def test_tokens_spell_a_text_or_they_do_not(texts, random):
    spelled = [text.encode() for text in texts]
    ids = [list(text) for text in spelled]
    wrong = {at for at in range(len(texts)) if random.random() < 0.5}
    for at in wrong:
        ids[at].insert(random.randint(0, len(ids[at])), 257)  # a special token stands for no text
    flat = np.array([number for part in ids for number in part], np.uint32)
    offsets = np.cumsum([0, *map(len, ids)])
    same = Spelling(BYTES).match(flat, offsets, spelled)
    assert same.tolist() == [at not in wrong for at in range(len(texts))]


@pytest.mark.parametrize(
    ("ids", "text", "same"),
    [
        ([256, 101], b"the", True),
        ([256], b"the", False),
        ([256, 101, 101], b"the", False),
        ([257], b"<s>", False),
        ([], b"", True),
        ([], b"a", False),
    ],
)
def test_a_text_is_spelled_to_its_end(ids, text, same):
    found = Spelling(BYTES).match(np.array(ids, np.uint32), np.array([0, len(ids)]), [text])
    assert found.tolist() == [same]


@pytest.mark.parametrize(
    ("spans", "size", "whole", "starts"),
    [
        ([(0, 1), (1, 3)], 3, True, [0, 1]),
        ([(0, 2), (1, 2), (2, 3)], 3, True, [0, 1, 2]),
        ([(0, 1), (2, 3)], 3, False, [0, 2]),
        ([], 0, True, []),
    ],
)
def test_places_are_what_the_library_says(spans, size, whole, starts):
    found = read_places(spans, size, whole)
    assert found.tolist() == starts
    assert found.dtype == np.int32


@pytest.mark.parametrize(
    ("spans", "size", "whole", "reason"),
    [
        ([], 2, False, "its first character"),
        ([(1, 2)], 2, False, "its first character"),
        ([(0, 2), (1, 2), (0, 2)], 2, False, "do not follow"),
        ([(0, 3)], 2, False, "do not follow"),
        ([(0, 1), (2, 3)], 3, True, "character 1 of it"),
        ([(0, 1), (1, 2)], 3, True, "character 2 of it"),
    ],
)
def test_places_outside_a_text_or_with_gaps_are_refused(spans, size, whole, reason):
    with pytest.raises(ValueError, match=reason):
        read_places(spans, size, whole)


def test_places_that_leave_characters_out_are_taken_in_order_and_within_the_text():
    assert follow_places([(1, 2), (3, 4), (3, 4)], 6).tolist() == [1, 3, 3]
    assert follow_places([], 3).tolist() == []
    for spans in ([(2, 3), (1, 2)], [(0, 4)]):
        with pytest.raises(ValueError, match="do not follow"):
            follow_places(spans, 3)
