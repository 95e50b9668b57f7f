"""Line rules on whole texts: which lines go, and the kernels that walk them."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.rules.line_reasons import HAS_CURLY, HAS_LOREM, REASONS
from pipelines.rules.line_rules import (
    Options,
    count_pages,
    cut_lines,
    measure_longest,
    skip_chunks,
)
from pipelines.rules.own_rules import LONGEST_WORD
from pipelines.words import Text, split_texts


def cut(documents, terminal=True, compat=False):
    text = Text.view(pa.array(documents, pa.string()))
    return cut_lines(text, split_texts(text), Options(terminal, compat), ["en"] * len(documents))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("x" * (LONGEST_WORD + 1) + " is a word.", "long_word"),
        ("é" * LONGEST_WORD + " is no word.", None),  # characters count, not bytes
        ("This line has no end", "unterminated"),
        ("This line goes on...", "unterminated"),
        ("Two words.", "short"),
        ("Turn on Javascript please.", "javascript"),
        ("Read the Terms of Use.", "policy"),
        ("This one stays here.", None),
        ("  This one\u3000stays too.  ", None),
    ],
)
def test_a_line_goes_for_its_reason(line, reason):
    found = cut([f"Here is the first one.\n{line}"])
    assert found.removed.sum(0).tolist() == [int(reason is not None)]
    if reason:
        assert found.removed[REASONS.index(reason)].tolist() == [1]
    kept = [] if reason else [line.strip()]
    assert found.texts_D.to_pylist() == ["\n".join(["Here is the first one.", *kept])]


def test_a_line_is_judged_without_its_citation_marks():
    found = cut(["It ends with a mark.[12]\nOne two [edit]."])
    assert found.texts_D.to_pylist() == ["It ends with a mark.\nOne two ."]
    assert found.spans.tolist() == [[20, 21, 20, 25], [29, 29, 33, 39]]


def test_page_rules_count_lines_that_go_unless_the_reference_is_followed():
    page = ["Lorem ipsum {\nLorem ipsum { and more.\nTurn on javascript { now."]
    full, faulty = cut(page), cut(page, compat=True)
    assert (full.lorem.tolist(), full.curly.tolist()) == ([2], [3])
    assert (faulty.lorem.tolist(), faulty.curly.tolist()) == ([1], [1])
    assert full.texts_D == faulty.texts_D


def test_nothing_is_left_of_nothing():
    found = cut(["", "\n\n", "gone"])
    assert found.texts_D.to_pylist() == ["", "", ""]
    assert found.words.tolist() == found.sentences.tolist() == [0, 0, 0]
    assert cut([]).texts_D.to_pylist() == []


@pytest.mark.slow
@given(
    st.lists(
        st.sampled_from(["One line here.", "no end", "Two [1] marks [2] here.", ""]), max_size=5
    )
)
def test_documents_are_cut_one_by_one(lines):
    documents = ["\n".join(lines), *lines]
    together = cut(documents)
    for at, document in enumerate(documents):
        alone = cut([document])
        assert alone.texts_D[0] == together.texts_D[at]
        assert alone.removed[:, 0].tolist() == together.removed[:, at].tolist()
        assert alone.words[0] == together.words[at]
        assert alone.sentences[0] == together.sentences[at]


def test_chunks_of_a_line_are_skipped_and_the_longest_is_measured():
    text = Text.view(pa.array(["one three\nfive"]))
    words = split_texts(text)
    assert skip_chunks(text.data, words, 0, 9) == (2, 5)
    assert skip_chunks(text.data, words, 2, 14) == (3, 4)
    assert skip_chunks(text.data, words, 3, 14) == (3, 0)


def test_the_longest_text_bounds_what_a_line_takes():
    assert measure_longest(np.array([3, 5, 5, 12])) == 7
    assert measure_longest(np.array([0])) == 0


def test_bits_are_counted_for_their_page_rule():
    pages = np.zeros((2, 2), np.int64)
    for found in (HAS_LOREM, HAS_CURLY, HAS_LOREM | HAS_CURLY, 0):
        count_pages(pages, 1, found)
    assert pages.tolist() == [[0, 2], [0, 2]]
