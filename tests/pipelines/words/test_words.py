"""Words of whole texts, and the lines and hashes that rules build on."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.words import Text, split_texts, split_words
from pipelines.words.hashing import find_slot, hash_text, make_set, power
from pipelines.words.lines import break_size, find_break, strip_left, strip_right

SPACES = "".join(chr(point) for point in range(0x3001) if chr(point).isspace())
BREAKS = "".join(chr(point) for point in range(0x3001) if len(f"a{chr(point)}b".splitlines()) > 1)
pieces = st.sampled_from(
    ["don't", "e.g.", "U.S.", "(see", "https://x.org/a?b=1", "…", "...", "#", "50%", "naïve",
     "word", "Mr.", "a-b", " ", "\n", ":)", "I'm", "«", "日本語", "\r\n", *SPACES]
)  # fmt: skip
texts = st.lists(pieces | st.text(max_size=5), max_size=25).map("".join)
texts = texts.map(lambda text: text.encode("utf-8", "replace").decode())


def view(documents):
    return Text.view(pa.array(documents, pa.string()))


@settings(max_examples=300)
@given(st.lists(texts, max_size=6))
def test_words_are_spacys(documents):
    words = split_texts(view(documents))
    assert len(words.offsets) == len(documents) + 1
    for at, text in enumerate(documents):
        places = words.places[words.offsets[at] : words.offsets[at + 1]]
        expected = split_words(text)
        assert words.vocabulary["hash"][places].tolist() == [hash_text(w) for w in expected]
        assert words.vocabulary["chars"][places].tolist() == [len(w) for w in expected]


@settings(max_examples=300)
@given(st.lists(texts, max_size=6))
def test_chunks_are_those_of_str_split(documents):
    text = view(documents)
    words = split_texts(text)
    for at, document in enumerate(documents):
        bounds = slice(words.chunk_offsets[at], words.chunk_offsets[at + 1])
        found = [
            bytes(text.data[start:end]).decode()
            for start, end in zip(words.chunk_starts[bounds], words.chunk_ends[bounds], strict=True)
        ]
        assert found == document.split()


def test_a_slice_of_an_array_is_viewed_as_it_is():
    text = Text.view(pa.array(["one", "two words", "x"]).slice(1, 2))
    assert split_texts(text).counts_D.tolist() == [2, 1]


@given(st.text(st.sampled_from(SPACES + "ab。é"), max_size=12))
def test_stripping_is_that_of_str(text):
    data = np.frombuffer(text.encode(), np.uint8)
    start, end = strip_left(data, 0, len(data)), strip_right(data, 0, len(data))
    assert bytes(data[start:]).decode() == text.lstrip()
    assert bytes(data[:end]).decode() == text.rstrip()


@given(st.text(st.sampled_from(BREAKS + "ab é。"), max_size=12))
def test_lines_are_those_of_splitlines(text):
    data = np.frombuffer(text.encode(), np.uint8)
    lines, at = [], 0
    while at < len(data):
        end = find_break(data, at, len(data))
        lines.append(bytes(data[at:end]).decode())
        at = end + break_size(data, end, len(data)) if end < len(data) else end
    assert lines == text.splitlines()


@given(st.text(), st.text())
def test_the_hash_of_a_concatenation_follows_from_its_parts(left, right):
    left, right = (part.encode("utf-8", "replace").decode() for part in (left, right))
    size = len(right.encode())
    assert (
        hash_text(left + right) == (hash_text(left) * int(power(size)) + hash_text(right)) % 2**64
    )


@given(st.integers(0, 5000))
def test_powers_are_powers(exponent):
    assert int(power(exponent)) == pow(0x9E3779B97F4A7C15, exponent, 2**64)


@given(st.sets(st.integers(1, 2**64 - 1), max_size=40), st.integers(1, 2**64 - 1))
def test_a_set_holds_what_was_put_in(values, other):
    table = make_set(sorted(values))
    for value in values | {other}:
        assert (table[find_slot(table, np.uint64(value))] != 0) == (value in values)


def test_splitting_words_does_not_import_torch():
    """It would cost every worker process seconds and some hundred MB."""
    code = "import sys, pipelines.words; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
