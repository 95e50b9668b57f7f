"""N-grams of items in documents, found by the table and by looking everywhere."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contamination.index import build_index
from pipelines.contamination.matches import find_matches, look_up
from pipelines.text.word_hashes import list_words
from pipelines.words import Text
from tests.pipelines.contamination.planting import WORDS, make_item, set_up

some_words = st.lists(st.sampled_from(WORDS[:4]), max_size=9)
ITEMS = [make_item(" ".join(WORDS[:5])), make_item(" ".join(WORDS[1:4]), name="2")]
LENGTHS = (3, 4)  # of n-grams: the short item is one of its own length
INDEX = build_index(ITEMS, set_up(words=4, least_words=3))


def list_grams():
    """All n-grams of the items, which are varied enough to be kept."""
    return {tuple(WORDS[:4]), tuple(WORDS[1:5]), tuple(WORDS[1:4])}


@settings(max_examples=80)
@given(st.lists(some_words, max_size=4))
def test_matches_are_all_places_of_the_n_grams(documents):
    texts = pa.array([" ".join(words) for words in documents], pa.string())
    word_hashes = list_words(Text.view(texts))
    matches = find_matches(word_hashes, INDEX)
    wanted, base = [], 0
    for document, words in enumerate(documents):
        wanted += [
            (document, base + first, base + first + length)
            for length in LENGTHS
            for first in range(len(words) - length + 1)
            if tuple(words[first : first + length]) in list_grams()
        ]
        base += len(words)
    columns = (matches.documents_M, matches.firsts_M, matches.lasts_M)
    assert sorted(zip(*(column.tolist() for column in columns), strict=True)) == sorted(wanted)
    assert (np.diff(matches.firsts_M) >= 0).all()


def test_each_n_gram_has_its_own_number():
    word_hashes = list_words(Text.view(pa.array([" ".join(WORDS[:5])])))
    matches = find_matches(word_hashes, INDEX)
    assert len(set(matches.grams_M.tolist())) == len(matches.grams_M) == 3


def test_a_document_shorter_than_any_n_gram_has_no_match():
    word_hashes = list_words(Text.view(pa.array([WORDS[1], "", " ".join(WORDS[1:3])])))
    assert len(find_matches(word_hashes, INDEX).grams_M) == 0


@given(st.lists(st.integers(0, 2**64 - 1), max_size=20), st.data())
def test_the_table_gives_the_number_of_what_it_holds(others, data):
    hashes = INDEX.keys_K[INDEX.keys_K != 0]
    numbers = dict(zip(hashes.tolist(), INDEX.grams_K[INDEX.keys_K != 0].tolist(), strict=True))
    asked = data.draw(st.lists(st.sampled_from(hashes.tolist()), max_size=5)) + others
    places, grams = look_up(np.array(asked, np.uint64), INDEX.keys_K, INDEX.grams_K)
    expected = [(at, numbers[key]) for at, key in enumerate(asked) if key in numbers]
    assert list(zip(places.tolist(), grams.tolist(), strict=True)) == expected
