"""Prefixes and suffixes against spaCy's own expressions."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.words.affixes import find_dots, find_prefix, find_suffix, find_unit
from pipelines.words.character_tables import list_units, tabulate_characters
from pipelines.words.english import english
from pipelines.words.hashing import hash_text, make_set
from pipelines.words.points import UNKNOWN, Rules, decode, make_points

FLAGS = tabulate_characters(english())
EMPTY = make_set([])
RULES = Rules(FLAGS, EMPTY, EMPTY, make_set([hash_text(unit) for unit in list_units()]))
chunks = st.lists(
    st.sampled_from(
        [*".,:;!?'\"()[]<>#*&%+-–—~=/_$€£°…’“”«»§US12ackmKé", "km", "GB", "US$", "..."]
    ),
    min_size=1,
    max_size=6,
).map("".join)


def load(chunk):
    data = np.frombuffer(chunk.encode(), np.uint8)
    points = make_points()
    return points, decode(data, 0, len(data), points)


def measure(match):
    return len(match[0]) if match else 0


@settings(max_examples=500)
@given(chunks)
@example("US$5")
@example("..a")
@example("+1")
def test_a_prefix_is_spacys_or_unknown(chunk):
    points, count = load(chunk)
    found = find_prefix(points.codes, 0, count, FLAGS)
    assert found in (UNKNOWN, measure(english().prefix_search(chunk)))


@settings(max_examples=500)
@given(chunks)
@example("5km.")
@example("NASA.")
@example("J.")
@example("it’s")
@example("3°F.")
def test_a_suffix_is_spacys_or_unknown(chunk):
    points, count = load(chunk)
    found = find_suffix(points, 0, count, RULES)
    assert found in (UNKNOWN, measure(english().suffix_search(chunk)))


def test_what_a_prefix_leaves_may_be_nothing():
    points, count = load("(")
    assert find_suffix(points, count, count, RULES) == 0


def test_full_stops_at_the_end():
    lengths = {"a.": 1, "J.": 0, "NASA.": 1, "9.": 1, "a..": 2, "...": 3, ".": 0, ").": 1}
    for chunk, length in lengths.items():
        points, count = load(chunk)
        assert find_dots(points.codes, 0, count, FLAGS) == length, chunk


def test_a_unit_follows_a_digit_and_is_known():
    lengths = {"5km": 2, "5km/h": 4, "km": 0, "5": 0, "5xyz": 0, "1.5GB": 2, "5" + "k" * 9: 0}
    for chunk, length in lengths.items():
        points, count = load(chunk)
        assert find_unit(points, 0, count, RULES) == length, chunk
