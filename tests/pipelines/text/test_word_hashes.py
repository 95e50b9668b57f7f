"""Words of normalised texts, where they came from, and their n-grams."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.text.word_hashes import count_chars_before, hash_grams, list_words
from pipelines.words import Text, split_words
from pipelines.words.english import LONGEST
from tests.pipelines.dedupe.simple import (
    list_words_plainly,
    simplify,
    stays_in_place,
    texts,
    view,
)

few_words = st.lists(st.lists(st.integers(0, 3), max_size=12), max_size=5)


def offsets_of(lists):
    return np.cumsum([0, *map(len, lists)])


@given(st.lists(texts, max_size=5))
def test_words_are_those_of_the_normal_form(documents):
    word_hashes = list_words(view(documents))
    words = [list_words_plainly(simplify(text)) for text in documents]
    assert word_hashes.offsets_D1.tolist() == offsets_of(words).tolist()
    pairs = {
        *zip((word for some in words for word in some), word_hashes.hashes_N.tolist(), strict=True)
    }
    assert len(pairs) == len({word for word, _ in pairs}) == len({value for _, value in pairs})


@given(texts.filter(stays_in_place))
def test_a_word_comes_from_the_bytes_that_become_it(document):
    word_hashes = list_words(view([document]))
    data, end = document.encode(), 0
    for at, word in enumerate(list_words_plainly(simplify(document))):
        assert simplify(data[end : word_hashes.starts_N[at]].decode()) == ""
        end = word_hashes.ends_N[at]
        assert simplify(data[word_hashes.starts_N[at] : end].decode()) == word
    assert simplify(data[end:].decode()) == ""


def test_a_word_without_end_is_cut_as_everywhere():
    for document in ("a" * LONGEST, "é" * (LONGEST + 1), "x1" * LONGEST):
        word_hashes = list_words(view([document]))
        words = split_words(simplify(document))
        assert len(words) == len(word_hashes.hashes_N)
        assert (len(words) > 1) == (len(document) > LONGEST)
        starts, ends = word_hashes.starts_N.tolist(), word_hashes.ends_N.tolist()
        assert [0, *ends] == [*starts, len(document.encode())]


def test_sources_are_counted_in_the_data_of_a_slice():
    text = view(["Hello, World!", "12,345 cafés.", "Σ"])
    later = Text(text.data, text.offsets[1:])
    word_hashes = list_words(later)
    bounds = zip(word_hashes.starts_N, word_hashes.ends_N, strict=True)
    found = [bytes(text.data[start:end]).decode() for start, end in bounds]
    assert found == ["12,345", "cafés", "Σ"]
    assert word_hashes.offsets_D1.tolist() == [0, 2, 3]


def test_a_character_that_becomes_two_words_is_the_source_of_both():
    word_hashes = list_words(view(["a \U0001d15e!"]))  # a musical note: its head and its stem
    assert word_hashes.starts_N.tolist() == [0, 2, 2]
    assert word_hashes.ends_N.tolist() == [1, 6, 6]


def test_no_texts_and_empty_texts():
    assert list_words(view([])).offsets_D1.tolist() == [0]
    assert list_words(view(["", "...", " "])).offsets_D1.tolist() == [0, 0, 0, 0]


@given(few_words, st.integers(1, 6))
def test_grams_are_equal_where_words_are(lists, n):
    names = np.random.default_rng(0).integers(0, 2**64, 4, np.uint64)
    hashes = names[[word for some in lists for word in some]]
    grams, offsets = hash_grams(hashes, offsets_of(lists), n)
    expected = [[tuple(some[i : i + n]) for i in range(len(some) - n + 1)] for some in lists]
    assert offsets.tolist() == offsets_of(expected).tolist()
    pairs = {*zip((gram for some in expected for gram in some), grams.tolist(), strict=True)}
    assert len(pairs) == len({gram for gram, _ in pairs}) == len({value for _, value in pairs})


def test_grams_use_all_bits():
    hashes = np.random.default_rng(1).integers(0, 2**64, 5000, np.uint64)
    grams, _ = hash_grams(hashes, np.array([0, len(hashes)]), 5)
    ones_64 = ((grams[:, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)).mean(0)
    assert (abs(ones_64 - 0.5) < 5 * 0.5 / np.sqrt(len(grams))).all()


@given(st.lists(texts, min_size=1, max_size=4), st.data())
def test_characters_before_a_place(documents, data):
    text = view(documents)
    some = st.sampled_from(
        [(d, chars) for d in range(len(documents)) for chars in range(len(documents[d]) + 1)]
    )
    wanted = data.draw(st.lists(some, max_size=8))
    numbers = np.array([document for document, _ in wanted], np.int64)
    places = [text.offsets[d] + len(documents[d][:chars].encode()) for d, chars in wanted]
    counts = count_chars_before(text, numbers, np.array(places, np.int64))
    assert counts.tolist() == [chars for _, chars in wanted]
