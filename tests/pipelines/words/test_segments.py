"""Words of languages that are not English: where texts are cut, and that nothing is lost."""

import subprocess
import sys
import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.languages.writing import UNSPACED
from pipelines.words import Text, split_texts
from pipelines.words.segments import _tabulate_marks as tabulate_marks
from pipelines.words.segments import cut_at, find_cuts, find_marks, find_words, is_wordspace

SOME = "我们 。学习𠮷😀 สวัสดีชาวโลก ກາ ខ្មែរ မြန် かなカナ ሰላም፡ለዓ። བོད་ཡིག། ։՞ a-b. don't é\n"


def split(text, language):
    """Return the chunks of a text, as texts."""
    words = split_texts(Text.view(pa.array([text])), [language])
    data = text.encode()
    bounds = zip(words.chunk_starts, words.chunk_ends, strict=True)
    return [data[start:end].decode() for start, end in bounds]


@pytest.mark.parametrize(
    ("language", "text", "chunks"),
    [
        ("zh", "我们在GitHub上学习。", "我们 在 GitHub 上 学习 。"),
        ("zh", "去𠮷野家，😀好", "去 𠮷 野家 ， 😀 好"),  # characters of two units of UTF-16
        ("zh", "见https://a.example/b?c=1。", "见 https://a.example/b?c=1 。"),
        ("ja", "私は東京に住んでいます。", "私 は 東京 に 住 んで い ます 。"),
        ("th", "สวัสดีชาวโลก วันนี้", "สวัสดี ชาว โลก วัน นี้"),
        ("lo", "ສະບາຍດີຊາວໂລກ", "ສະບາຍດີ ຊາວໂລກ"),
        ("km", "សួស្តីពិភពលោក។", "សួស្តី ពិភពលោក ។"),
        ("my", "ကမ္ဘာလောက။", "ကမ္ဘာ လောက ။"),
        ("am", "ሰላም፡ለዓለም። ነህ፣", "ሰላም ለዓለም ። ነህ ፣"),
        ("am", "ሰላም ፡ ለዓለም፡", "ሰላም ፡ ለዓለም"),
        ("bo", "བོད་ཡིག།", "བོད་ ཡིག །"),
        ("hy", "Բարեւ։ Ինչպե՞ս", "Բարեւ ։ Ինչպե՞ս"),
        ("ar", "٣٫٥ كيف،", "٣٫٥ كيف ،"),
        ("de", "Im Haus, u.a. (so)", "Im Haus, u.a. (so)"),  # left to spaCy
        ("en", "我们 ሰላም፡ለዓለም", "我们 ሰላም፡ለዓለም"),
        (None, "我们 ሰላም፡ለዓለም", "我们 ሰላም፡ለዓለም"),
    ],
)
def test_texts_are_cut_where_words_end(language, text, chunks):
    assert split(text, language) == chunks.split()


def test_special_cases_of_english_are_for_english():
    words = split_texts(Text.view(pa.array(["Im id"] * 3)), ["de", "en", None])
    assert words.counts_D.tolist() == [2, 4, 4]


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.tuples(
            st.text(st.sampled_from(SOME) | st.characters(exclude_categories=["Cs"]), max_size=40),
            st.sampled_from([None, "en", "de", "am", *sorted(UNSPACED)]),
        ),
        max_size=5,
    )
)
def test_cutting_loses_nothing_and_knows_no_neighbours(documents):
    texts, languages = [text for text, _ in documents], [language for _, language in documents]
    text = Text.view(pa.array(texts, pa.string()))
    cuts = find_cuts(text.data, text.offsets, languages)
    assert np.all(np.diff(cuts) > 0) or len(documents) > 1
    words = split_texts(text, languages)
    for d, (one, language) in enumerate(documents):
        first, last = words.chunk_offsets[d : d + 2]
        data = bytes(text.data)
        chunks = [
            data[words.chunk_starts[k] : words.chunk_ends[k]].decode() for k in range(first, last)
        ]
        whole = "".join(one.split())
        if language in (None, "en"):
            assert chunks == one.split()
        assert "".join(chunks).replace("\u1361", "") == whole.replace("\u1361", "")
        assert chunks == split(one, language)


@settings(deadline=None, max_examples=30)
@given(st.text(st.sampled_from(SOME) | st.characters(exclude_categories=["Cs"])))
def test_boundaries_are_of_whole_characters(text):
    whole = {len(text[:end].encode()) for end in range(len(text) + 1)}
    assert whole.issuperset(find_words(text, "zh").tolist())
    data = np.frombuffer(text.encode(), np.uint8)
    marks = find_marks(data, 0, len(data), tabulate_marks()).tolist()
    assert whole.issuperset(marks)
    assert marks == sorted(set(marks))


def test_marks_are_punctuation_beyond_latin_greek_and_cyrillic():
    marks = tabulate_marks()
    for point in np.flatnonzero(marks).tolist():
        assert point >= 0x530
        assert unicodedata.category(chr(point)).startswith("P")
    assert [int(marks[ord(mark)]) for mark in ".·«。।་՞"] == [0, 0, 0, 3, 3, 2, 0]


def test_chunks_are_cut_inside_alone():
    data = np.frombuffer(b"abcd efgh", np.uint8)
    starts, ends, counts = (np.array(values) for values in ([0, 5], [4, 9], [1, 1]))
    cuts = np.array([0, 2, 4, 5, 6, 9])
    cut = [part.tolist() for part in cut_at(data, starts, ends, counts, cuts)]
    assert cut == [[0, 2, 5, 6], [2, 4, 6, 9], [2, 2]]


def test_the_space_of_ethiopic_is_told_by_its_bytes():
    data = np.frombuffer("፡።፡".encode(), np.uint8)
    pairs = [(0, 3), (3, 6), (6, 9), (0, 2), (0, 6)]
    assert [is_wordspace(data, *pair) for pair in pairs] == [True, False, True, False, False]


FRESH = """
import sys, pyarrow as pa
from pipelines.words import Text, split_texts
from pipelines.words.segments import find_words

split_texts(Text.view(pa.array(["English, 我们", "Deutsch"])), ["en", "de"])
assert not any(name.startswith("icu4py") for name in sys.modules)
texts = ["ージョン", "ーー", "ﾞｰ", "゛カー", "ๆ", "๏", "។", "၊", "・ー"]
fresh = [find_words(text, "ja").tolist() for text in texts]
for text in ("漢字とかなとカナ", "ภาษาไทย", "ພາສາລາວ", "ភាសាខ្មែរ", "မြန်မာ"):
    find_words(text, "ja")
assert fresh == [find_words(text, "ja").tolist() for text in texts]
"""


def test_icu_is_loaded_for_whom_it_serves_and_words_do_not_depend_on_what_it_saw():
    subprocess.run([sys.executable, "-c", FRESH], check=True)
