"""The index: what an item's n-grams are, and that files keep them."""

import numpy as np
import pytest

from pipelines.contamination.index import VARIANTS, build_index, open_index, save_index
from pipelines.contamination.items import Item
from pipelines.settings import GRAPHEMES_A_WORD
from tests.pipelines.contamination.planting import ITEM_WORDS, look, make_item, set_up

QUESTION = " ".join(ITEM_WORDS[:20])


def count(items, **fields):
    index = build_index(items, set_up(**fields))
    assert index.variants.schema == VARIANTS
    return index.totals_Vx2.tolist()


@pytest.mark.parametrize(
    ("question", "answer", "counts"),
    [
        (20, 0, [8, 0]),
        (20, 1, [8, 1]),
        (20, 30, [8, 30]),
        (12, 1, [0, 1]),
        (0, 20, [0, 8]),
        (9, 0, [1, 0]),
        (8, 1, [0, 1]),
        (5, 2, [0, 0]),
        (0, 0, [0, 0]),
    ],
)
def test_an_n_gram_with_a_word_of_the_answer_is_the_answers(question, answer, counts):
    words = ITEM_WORDS[: question + answer]
    item = Item("s", "1", " ".join(words[:question]), (" ".join(words[question:]),))
    assert count([item]) == [counts]


def test_n_grams_are_counted_once_and_one_of_both_kinds_is_the_questions():
    again = " ".join(ITEM_WORDS[:13])
    assert count([make_item(f"{again} {again}")]) == [[13, 0]]
    assert count([make_item(again, again)]) == [[1, 12]]


def test_lists_of_numbers_tell_nothing():
    numbers = ", ".join(map(str, range(100, 140)))
    index = build_index([make_item(f"Sort these: {numbers}", "100")], set_up())
    assert index.hidden["item"].to_pylist() == ["1"]
    mixed = [(ITEM_WORDS[:at] + ["7"] * 40)[:13] for at in range(14)]
    found = [bool(sum(count([make_item(" ".join(words))])[0])) for words in mixed]
    assert found == [at + (at < 13) >= 7 for at in range(14)]


@pytest.mark.parametrize(
    ("numbers", "found"),
    [
        (range(1, 30), False),  # such rows are in many texts
        (range(200, 100, -5), False),
        ([7] * 20, False),
        ([12, 35, 8, 4, 19, 2, 3, 44, 17, 2, 9, 61, 5], True),
    ],
)
def test_numbers_tell_something_where_they_do_not_count_on(numbers, found):
    assert (count([make_item(" ".join(map(str, numbers)))]) != [[0, 0]]) == found


def test_a_row_of_numbers_ends_with_its_item():
    items = [make_item(" ".join(map(str, some)), name=str(some)) for some in ([1, 2], [3] * 20)]
    told = [5, 1, 9, 4, 30, 2, 77, 6, 3, 50, 8, 41, 7]
    assert count([*items, make_item(" ".join(map(str, told)), name="z")])[-1] == [1, 0]


@pytest.mark.parametrize(
    ("first", "words"),
    [
        ("\u4e00", 1),  # Chinese: a character for a word
        ("\u0e01", GRAPHEMES_A_WORD),  # Thai
        ("\u1780", GRAPHEMES_A_WORD),  # Khmer
        ("\u1000", GRAPHEMES_A_WORD),  # Burmese
    ],
)
def test_items_without_spaces_are_measured_in_their_own_words(first, words):
    letters = [chr(ord(first) + at % 30) for at in range(200)]
    short, least, whole = ("".join(letters[:size]) for size in (8 * words - 1, 8 * words, 60))
    assert count([make_item(short)]) == [[0, 0]]
    assert count([make_item(least)]) == [[1, 0]]
    assert count([make_item(whole)])[0][0] == min(30, 60 - 13 * words + 1)


def test_answers_are_told_from_questions_by_bytes_of_the_text():
    question = " ".join(f"é{word}" for word in ITEM_WORDS[:20])
    assert count([make_item(question, "日本 à")]) == [[8, 3]]


def test_each_answer_makes_a_variant():
    item = Item("s", "x", QUESTION, ("bako", "luta lo"))
    index = build_index([item, make_item(QUESTION, name="y")], set_up())
    assert index.variants["item"].to_pylist() == ["x", "x", "y"]
    assert index.variants["answer"].to_pylist() == ["bako", "luta lo", None]
    assert index.variants["number"].to_pylist() == [0, 0, 1]
    assert index.variants["words"].to_pylist() == [21, 22, 20]
    assert index.totals_Vx2.tolist() == [[8, 1], [8, 2], [8, 0]]


def list_arrays(record):
    """The arrays of a record and of those in it."""
    for value in record:
        if isinstance(value, tuple):
            yield from list_arrays(value)
        else:
            yield value


def test_a_saved_index_finds_the_same(tmp_path):
    items = [make_item(QUESTION, "bako"), make_item(" ".join(ITEM_WORDS[50:60]), name="short")]
    documents = [f"{QUESTION} bako {item.texts[0]}" for item in items] + ["bako"]
    hits, index = look(documents, items)
    save_index(tmp_path / "index", index)
    opened = open_index(tmp_path / "index")
    assert opened.variants.equals(index.variants)
    assert opened.lengths_L.tolist() == [10, 13]
    again, _ = look(documents, items, opened)
    pairs = zip(list_arrays(hits), list_arrays(again), strict=True)
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)
    assert len(hits.pairs.documents_P) == 3
    assert not [path for path in (tmp_path / "index").iterdir() if path.suffix == ".tmp"]
