"""The compiled splitter against spaCy itself, chunk by chunk."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.words.english import LONGEST, english, split_words
from pipelines.words.memo import Vocabulary
from pipelines.words.points import UNKNOWN, decode, make_points
from pipelines.words.splitting import split_chunk

VOCABULARY = Vocabulary()
# What spaCy's rules are about: marks, quotes, hyphens, units, currencies, letters of all kinds.
MARKS = ".,:;!?'\"()[]{}<>#*&%+-–—~=/@_$€£°²…’“”«»§^`|\\"
LETTERS = "aAsSkKmMUCzZéÉßжЖαΩ文は١"
chunks = st.lists(
    st.sampled_from([*MARKS, *LETTERS, *"0123456789"])
    | st.sampled_from(
        [
            "km",
            "US$",
            "...",
            "--",
            "---",
            "http://",
            "www.",
            ".com",
            ".Net",
            "1.5",
            "10.0.0.1",
            "'s",
            "’S",
            "n't",
            "can",
            "e.g.",
            "Mr.",
            ":)",
            ":-(",
            "C++",
            "word",
            "State",
            "10",
            "9am",
            "x.y",
        ]
    ),
    min_size=1,
    max_size=9,
).map("".join)


def split_natively(chunk, splitter=VOCABULARY.english):
    """The kernel's words, None where it leaves the chunk to spaCy."""
    data = np.frombuffer(chunk.encode(), np.uint8)
    points, cuts = make_points(), np.empty(LONGEST + 1, np.int32)
    count = decode(data, 0, len(data), points)
    if count == UNKNOWN:
        return None
    size = split_chunk(points, count, splitter.rules, cuts)
    if size == UNKNOWN:
        return None
    starts = [0, *cuts[: size - 1].tolist()]
    return [chunk[a:b] for a, b in zip(starts, cuts[:size].tolist(), strict=True)]


@settings(max_examples=3000)
@given(chunks)
@example("node-v10.14.2-win-x86.7z")
@example("https://a.example/b?c=1).")
@example("x.com:80:")
@example("5--a")
def test_the_kernel_agrees_with_spacy_or_says_nothing(chunk):
    for splitter in (VOCABULARY.english, VOCABULARY.foreign):
        words = split_natively(chunk, splitter)
        if words is not None:
            assert words == split_words(chunk, splitter.tokenizer)


def test_the_kernel_splits_what_text_is_made_of():
    usual = [
        "word",
        "word,",
        "(word)",
        "Word.",
        "well-known",
        "1990s,",
        "50%",
        "5km",
        "3.14",
        "it’s",
        "dog's",
        "“Quote”",
        "naïve",
        "слово,",
        "and/or",
        "yourself—you",
        "J.",
        "U.S.A.,",
        "A,B",
        "https://www.example.org/path?x=1",
        "index.html",
        "wait...",
        "...",
        "x=1",
    ]
    left = [chunk for chunk in usual if split_natively(chunk) is None]
    assert left == ["it’s", "and/or"]  # special cases
    assert all(split_natively(chunk, VOCABULARY.foreign) for chunk in usual)  # which has none


def test_every_special_case_is_left_to_spacy():
    for chunk in english().rules:
        if not chunk.isspace():
            words = split_natively(chunk)
            assert words is None or words == split_words(chunk), chunk
