"""Words and chunks of whole texts."""

import subprocess
import sys

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.words import Text, split_texts, split_words
from pipelines.words.hashing import hash_text

SPACES = "".join(chr(point) for point in range(0x3001) if chr(point).isspace())
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


def test_splitting_words_does_not_import_torch():
    """It would cost every worker process seconds and some hundred MB."""
    code = "import sys, pipelines.words; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
