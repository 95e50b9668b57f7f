"""C4's line and page rules against a plain reading, line by line."""

import math
import re
from functools import cache

import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.edits.spans import map_ends, map_starts
from pipelines.rules.families.c4 import annotate
from pipelines.rules.line_reasons import REASONS
from pipelines.rules.own_rules import C4 as RULES
from pipelines.rules.own_rules import POLICIES
from tests.pipelines.rules.batches import TEXT, judge_as, make_batch

lines = st.lists(
    st.sampled_from(
        [
            "A full sentence here.",
            "It is. Is it? It is!",
            "short.",
            "no end mark here at all",
            "[1]",
            "[edit]",
            "[citation needed]",
            "[]",
            "word [2] more words.",
            " ",
            "  ",
            "\t",
            "Lorem Ipsum dolor.",
            "Use of JavaScript is on.",
            "a { b } c.",
            "Our privacy POLICY is here.",
            "We use cookies now.",
            "x" * 1001 + " b c.",
            "é" * 1001,
            "wait and see...",
            '"A quote, she said."',
            "ends [3].",
            ".",
            "[4] a b c.",
        ]
    )
    | st.text(TEXT, max_size=8),
    max_size=4,
).map(" ".join)
texts = st.lists(
    st.tuples(lines, st.sampled_from(["\n", "\r\n", "\n\n", "\u2028", "\x0b"])), max_size=6
).map(lambda parts: "".join(line + end for line, end in parts))


@cache
def sentencizer():
    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    return pipeline


def judge(line, words, terminal):
    """Why a line goes, None if it stays."""
    if terminal and (not line.endswith((".", "?", "!", '"', "'")) or line.endswith("...")):
        return "unterminated"
    if len(words) < 3:
        return "short"
    if "javascript" in line.lower():
        return "javascript"
    return "policy" if any(policy in line.lower() for policy in POLICIES) else None


def reference(text, terminal, compat):
    removed, kept = dict.fromkeys(REASONS, 0), []
    lorem = curly = 0
    for line in map(str.strip, text.splitlines()):
        words = line.split()
        if not compat:
            lorem += "lorem ipsum" in line.lower()
            curly += "{" in line
        if any(len(word) > 1000 for word in words):
            removed["long_word"] += 1
            continue
        line = re.sub(r"\[[0-9]*]|\[edit]|\[citation needed]", "", line)
        reason = judge(line, words, terminal)
        if compat and reason not in ("unterminated", "short"):
            lorem += "lorem ipsum" in line.lower()
            curly += "{" in line and reason != "javascript"
        if reason:
            removed[reason] += 1
        else:
            kept.append(line)
    left = "\n".join(kept).strip()
    sentences = sum(len(list(sentencizer()(line).sents)) for line in left.split("\n"))
    return left, {
        **{f"c4_{reason}_lines": count for reason, count in removed.items()},
        "c4_lorem_ipsum": lorem,
        "c4_curly_brackets": curly,
        "c4_sentences": sentences,
        "c4_paragraphs": (sorted(map(len, text.split("\n")))[-3:-2] or [0])[0],
    }


@settings(max_examples=400)
@given(st.lists(texts, min_size=1, max_size=4), st.booleans(), st.booleans())
def test_values_and_text_equal_the_plain_reading(documents, terminal, compat):
    batch = make_batch(documents, compat=compat, terminal_punctuation=terminal)
    values = annotate(batch)
    assert list(values) == list(RULES)
    for at, text in enumerate(documents):
        left, expected = reference(text, terminal, compat)
        assert batch.line_cut.texts_D[at].as_py() == left
        assert {rule: int(values[rule][at]) for rule in RULES} == expected


@settings(max_examples=400)
@given(st.lists(texts, min_size=1, max_size=3), st.booleans())
def test_spans_lead_back_to_the_source(documents, terminal):
    """What no span covers is in the source, where the map says."""
    cut = make_batch(documents, terminal_punctuation=terminal).line_cut
    for at, text in enumerate(documents):
        left = cut.texts_D[at].as_py()
        spans = cut.spans[cut.span_offsets[at] : cut.span_offsets[at + 1]]
        covered = {place for start, end, *_ in spans.tolist() for place in range(start, end)}
        places = np.arange(len(left))
        sources = zip(map_starts(spans, places), map_ends(spans, places + 1), strict=True)
        for place, (start, end) in enumerate(sources):
            if place not in covered:
                assert text[start:end] == left[place]
        before, after = [0, *spans[:, 1]], [*spans[:, 0], len(left)]
        unchanged = sum(int(b) - int(a) for a, b in zip(before, after, strict=True))
        assert len(text) == unchanged + sum(int(d - c) for *_, c, d in spans)


def test_words_of_what_is_left_are_those_of_the_left_text():
    documents = ["A line that stays here.\nnot this\nAnd [1] this one stays.", "x y z.", ""]
    cut = make_batch(documents).line_cut
    again = make_batch(cut.texts_D.to_pylist())
    assert cut.words.tolist() == again.words.counts_D.tolist()


def test_lines_and_sentences_end_in_the_marks_of_the_language():
    documents = [
        "我们今天在学习中文。你们呢？\n没有标点的一行字",
        "यह एक लंबा वाक्य है। दूसरा भी है।\nकोई चिह्न नहीं है यहाँ",
        "วันนี้เราไปเรียนหนังสือที่โรงเรียน\nพรุ่งนี้ไม่ไป",
    ]
    batch = judge_as(make_batch(documents, line_rules=True), "zh", "hi", "th")
    values = annotate(batch)
    assert values["c4_unterminated_lines"] == pytest.approx([1, 1, math.nan], nan_ok=True)
    assert values["c4_sentences"] == pytest.approx([2, 2, math.nan], nan_ok=True)
    left = [documents[0].split("\n")[0], documents[1].split("\n")[0], documents[2]]
    assert batch.line_cut.texts_D.to_pylist() == left
    # In English these are no marks.
    assert annotate(make_batch(documents))["c4_unterminated_lines"].tolist() == [2, 2, 2]


def test_a_line_without_spaces_has_the_words_of_its_language():
    line = "我们在学习，" * 200 + "。"  # more than a thousand characters, and no long word
    assert annotate(judge_as(make_batch([line]), "zh"))["c4_long_word_lines"].tolist() == [0]
    assert annotate(make_batch([line]))["c4_long_word_lines"].tolist() == [1]
