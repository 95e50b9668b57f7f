"""Unicode repair equals ftfy's, and its spans lead back to the source."""

import itertools
import re

import ftfy
import numpy as np
import pytest
from ftfy.badness import BADNESS_RE, MOJIBAKE_CATEGORIES
from hypothesis import given
from hypothesis import strategies as st

from pipelines.edits import repair as module
from pipelines.edits.repair import CONFIG, SUSPECT, repair
from tests.pipelines.edits.test_spans import assert_leads_back

EVERY = "".join(map(chr, range(0x110000)))


def expand(characters):
    """The characters of the inside of a character class."""
    return re.findall(f"[{characters}]", EVERY)


CATEGORIES = {kind: expand(characters) for kind, characters in MOJIBAKE_CATEGORIES.items()}
NAMED = expand("".join(MOJIBAKE_CATEGORIES.values()))
LITERALS = "ŒœŠšŸžÂÃÎÐØÙÄàâóäøìîïòôúùû°¢£²³µ¹¼½¾×√±∂†≠®™´≤≥¥≈‚êÅвЂВГРСўβ€ΆΒΓΞΟā\xa0\xad©·»–—"
ASCII = "aA .,\n1_"

fragments = (
    st.sampled_from(
        ["schÃ¶n", "â€œquotedâ€\x9d", "&amp;", "&#39;", "&nosuch;", "<b>", "<", "\n", " "]
    )
    | st.sampled_from(
        ["Ð¼Ð¾Ñ€Ðµ", "l’été", "\x1b[31m", "\x00", "\ufeff", "\ud83d\ude00", "Ã la", "x Â y"]
    )
    | st.sampled_from(NAMED + list(ASCII))
    | st.text(max_size=4)
)
texts = st.lists(fragments, max_size=14).map("".join)


@pytest.mark.parametrize(
    ("broken", "repaired"),
    [
        ("schÃ¶n", "schön"),
        ("rock &amp; roll", "rock & roll"),
        ("a\x00b\x07c", "abc"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("“quotes” and ﬁ and ＡＢＣ stay\r\n", "“quotes” and ﬁ and ＡＢＣ stay\r\n"),
        ("&lt;\n<b>\n&lt;", "<\n<b>\n&lt;"),  # from markup on, entities are left to it
    ],
)
def test_what_is_repaired_and_what_is_left(broken, repaired):
    assert repair(broken).text == repaired


@given(texts)
def test_repair_equals_ftfy(text):
    edited = repair(text)
    assert edited.text == ftfy.fix_text(text, CONFIG)
    assert_leads_back(text, edited.text, edited.spans)


@given(st.text(st.characters(max_codepoint=127)))
def test_repair_of_ascii_equals_ftfy(text):
    assert repair(text).text == ftfy.fix_text(text, CONFIG)


@given(texts, st.integers(1, 7))
def test_lines_over_the_limit_are_cut_as_ftfy_cuts_them(text, limit):
    short = CONFIG._replace(max_decode_length=limit)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CONFIG", short)
        patch.setattr(module, "IN_MARKUP", short._replace(unescape_html=False))
        assert repair(text).text == ftfy.fix_text(text, short)


@given(st.from_regex(BADNESS_RE))
def test_no_match_of_badness_escapes_the_search(text):
    assert SUSPECT.search(text)


def test_no_pair_of_characters_escapes_the_search():
    for pair in itertools.product([*NAMED, *ASCII], repeat=2):
        text = "".join(pair)
        assert not BADNESS_RE.search(text) or SUSPECT.search(text), ascii(text)


def test_no_triple_of_kinds_escapes_the_search():
    kinds = {members[len(members) // 2] for members in CATEGORIES.values()}
    for triple in itertools.product(sorted(kinds | set(LITERALS) | set(ASCII)), repeat=3):
        text = "".join(triple)
        assert not BADNESS_RE.search(text) or SUSPECT.search(text), ascii(text)


def test_spans_are_of_the_characters_that_changed():
    source = "ein schÃ¶nes Haus &amp; ein BÃ¤umchen\nohne Fehler\n\x00Ende"
    edited = repair(source)
    assert edited.text == "ein schönes Haus & ein Bäumchen\nohne Fehler\nEnde"
    assert [(edited.text[a:b], source[c:d]) for a, b, c, d in edited.spans] == [
        ("ö", "Ã¶"),
        ("", "amp;"),
        ("ä", "Ã¤"),
        ("", "\x00"),
    ]


def test_clean_text_has_no_spans():
    assert len(repair("L’été à «Москва» — 10 €, naïve 日本語\n").spans) == 0


def test_a_line_whose_words_change_in_number_is_one_span():
    edited = repair("voilÃ le travail, Ã la mode")
    assert edited.text == ftfy.fix_text("voilÃ le travail, Ã la mode", CONFIG)
    assert edited.spans.dtype == np.int32
    assert len(edited.spans) >= 1
