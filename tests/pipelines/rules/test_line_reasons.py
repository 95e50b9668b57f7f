"""What is looked for in a line, and the first reason that holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.rules.line_reasons import (
    ANY_SCRIPT,
    HAS_CURLY,
    HAS_JAVASCRIPT,
    HAS_LOREM,
    HAS_POLICY,
    JAVASCRIPT,
    LATIN,
    NEEDLES,
    NO_MARK,
    POLICY,
    RARE_BYTES,
    RAREST,
    SHORT,
    STAYS,
    UNTERMINATED,
    is_terminated,
    judge_line,
    search,
)
from pipelines.rules.own_rules import POLICIES
from pipelines.words.text_lines import encode

parts = st.sampled_from(
    ["lorem ipsum", "Lorem", "JavaScript", "java", "{", "use", "Use Cookies", "terms of use", " ",
     "privacy policy", "uses cookies.", "cookie", "k", "M", "é", "use of cookies", "x"]
)  # fmt: skip
lines = st.lists(parts, max_size=8).map("".join)


def find_plainly(line):
    line = line.encode().lower().decode()  # ASCII capitals alone, as bytes have them
    found = HAS_LOREM * ("lorem ipsum" in line) | HAS_JAVASCRIPT * ("javascript" in line)
    found |= HAS_CURLY * ("{" in line)
    return found | HAS_POLICY * any(policy in line for policy in POLICIES)


@given(lines, lines)
def test_a_search_finds_what_occurs_in_its_range(before, line):
    data = encode(before + line)
    assert search(data, len(before.encode()), len(data)) == find_plainly(line)


def test_every_needle_is_looked_for_where_a_rare_letter_of_it_is():
    for needle, place in zip(NEEDLES, RAREST, strict=True):
        assert RARE_BYTES[needle[place]]
        assert RARE_BYTES[needle[place] - 32]


@given(st.text(st.sampled_from(".?!\"'a …"), max_size=5))
def test_a_line_ends_in_a_mark_and_no_ellipsis(line):
    data = encode(line)
    expected = line.endswith((".", "?", "!", '"', "'")) and not line.endswith("...")
    assert is_terminated(data, 0, len(data), LATIN) == expected


@pytest.mark.parametrize("line", ["好。", "क्या?", "वाक्य।", "نعم؟", "ہے۔", "ነው።", "ja“", "「好」"])
def test_marks_of_all_scripts_end_a_line_that_is_not_english(line):
    data = encode(line)
    assert is_terminated(data, 0, len(data), ANY_SCRIPT)
    assert not is_terminated(data, 0, len(data) - len(line[-1].encode()), ANY_SCRIPT)


@pytest.mark.parametrize(
    ("line", "words", "terminal", "reason"),
    [
        ("All is well here.", 4, True, STAYS),
        ("All is well here", 4, True, UNTERMINATED),
        ("All is well here", 4, False, STAYS),
        ("Too short.", 2, True, SHORT),
        ("Uses JavaScript {.", 3, True, JAVASCRIPT),
        ("See our privacy policy.", 4, True, POLICY),
        ("JavaScript and cookie policy.", 4, True, JAVASCRIPT),  # the first that holds
        ("Lorem ipsum dolor sit {.", 5, True, STAYS),  # page rules remove no line
    ],
)
def test_the_first_reason_counts(line, words, terminal, reason):
    data = encode(line)
    assert judge_line(data, 0, len(data), words, LATIN if terminal else NO_MARK)[0] == reason


def test_what_occurs_is_told_where_it_was_searched():
    data = encode("Lorem ipsum {javascript}.")
    assert judge_line(data, 0, len(data), 2, LATIN) == (SHORT, 0)
    assert judge_line(data, 0, len(data), 3, LATIN) == (JAVASCRIPT, HAS_LOREM | HAS_JAVASCRIPT)
    data = encode("Lorem ipsum {.")
    assert judge_line(data, 0, len(data), 3, LATIN) == (STAYS, HAS_LOREM | HAS_CURLY)
