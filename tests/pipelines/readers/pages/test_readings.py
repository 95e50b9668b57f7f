import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.readers.pages.extract import extract_text
from pipelines.readers.pages.readings import place_readings

RULE = [
    ("漢字<rt>かんじ</rt>", "漢字(かんじ)"),
    ("漢<rt>かん</rt>字<rt>じ</rt>", "漢(かん)字(じ)"),
    ("漢<rt>かん<rb>字<rt>じ", "漢(かん)字(じ)"),
    ("<rb>漢</rb><rb>字</rb><rt>かん</rt><rt>じ</rt>", "漢字(かんじ)"),
    ("<rb>漢<rb>字<rt>かん<rt>じ", "漢字(かんじ)"),
    ("漢字<rp>（</rp><rt>かんじ</rt><rp>）</rp>", "漢字（かんじ）"),
    ("漢<rp>(</rp><rt>かん</rt><rp>)</rp>字<rt>じ</rt>", "漢(かん)字(じ)"),
    ("東京<rt>とうきょう</rt><rtc><rt>Tokyo</rt></rtc>", "東京(とうきょう)(Tokyo)"),
    ("東京<rtc>Tokyo</rtc>", "東京(Tokyo)"),
    ('<RB class="a">漢字</RB><RT lang=ja>かんじ</RT>', "漢字(かんじ)"),
    ("\n  漢字\n  <rt>\n  かんじ\n  </rt>\n", "漢字(かんじ)"),
    ("<b>漢字</b><rt><i>かんじ</i></rt>", "漢字(かんじ)"),
    ("寺<rt>て</rt>", "寺(て)"),
]

PARTS = ["<rb>", "</rb>", "<rt>", "</rt>", "<rp>", "</rp>", "<rtc>", "</rtc>", "漢", " "]


@pytest.mark.parametrize(("inner", "text"), RULE)
def test_readings_stand_in_parentheses_behind_their_words(inner, text):
    placed = place_readings(f"その<ruby>{inner}</ruby>を")
    assert re.sub(r"<[^>]*>", "", placed).replace("\n", "").replace(" ", "") == f"その{text}を"


@pytest.mark.parametrize("extractor", ["resiliparse", "trafilatura"])
@pytest.mark.parametrize(("inner", "text"), RULE)
def test_extractors_keep_readings_apart(inner, text, extractor):
    line = "昔々、ある村に小さな寺がありました。" * 9
    page = f"<html><body><article><p>{line}</p><p>その<ruby>{inner}</ruby>を{line}</p></article>"
    assert f"その{text}を" in extract_text(page, extractor)


def test_tags_outside_of_ruby_are_left():
    page = "one <rt>two</rt> <ruby>a<rt>b</rt></ruby> three <rp>four</rp>"
    assert place_readings(page) == ("one <rt>two</rt> <ruby>a(b)</ruby> three <rp>four</rp>")


@given(st.text("<>/rubytp ab漢", max_size=60))
def test_a_page_without_ruby_does_not_change(page):
    assert place_readings(page) == page or "</ruby" in page


@given(
    st.lists(st.sampled_from(["<rb>", "</rb>", "<rt>", "</rt>", "<rp>", "</rp>", "<rtc>", "漢"]))
)
def test_parentheses_are_closed_and_every_character_stays(parts):
    inner = "".join(parts)
    placed = place_readings(f"<ruby>{inner}</ruby>")
    assert placed.count("(") == placed.count(")")
    assert placed.count("漢") == inner.count("漢")
