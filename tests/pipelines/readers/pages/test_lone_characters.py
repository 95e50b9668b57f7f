from html import escape, unescape

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.readers.pages import lone_characters
from pipelines.readers.pages.lone_characters import CONTROLS, extract_with_marks, find_mark
from pipelines.readers.pages.main_content import extract_main_content

BLANKS = "\0\t\n\v\f\r "
TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="&")
    | st.sampled_from("où¶寺"),
    min_size=1,
    max_size=3,
).filter(lambda text: text.strip())


def marked(html: str) -> str:
    """The page as the extractor gets it, marks shown as ^."""
    return extract_with_marks(html, lambda page: page.replace("\1", "^"))


@pytest.mark.parametrize(
    "text",
    ["寺", "€", "≤", "→", "–", "où", "là", "5°", "m²", "e\u0301", "7\xa0", "¶", "\u2003", "\ue000",
     "&rarr;", "&#8594;", "&#x2192", "&euro;", "5&deg;", "x&nbsp;", "&#111;ù", "&lt;é", "&para;",
     " 寺\n", "寺\0", "&#32;寺&#10;", "<!-- a -->寺<!-- b -->"],
)  # fmt: skip
def test_lone_texts_are_kept(text):
    page = f"<p>one<b>{text}</b>two</p>"
    assert "^" in marked(page)
    kept = extract_main_content(f"<article>{page}</article>").removeprefix("one")
    assert kept.removesuffix("two").strip(" ") not in ("", "one")
    assert "\1" not in kept


@pytest.mark.parametrize(
    "text",
    ["é", "ab", "寺寺", "éé", "où est", "&amp;", "&lt;", "&copy;", "&nbsp;", "a", "🍵", "&#187;"],
)
def test_other_texts_get_no_mark(text):
    page = f"<p>one<b>{text}</b>two &euro; → 寺 où.</p>"
    assert marked(page) == page


@pytest.mark.parametrize("sign", ["¶", "\uf0c9", "&para;", "&#xf0c9;"])
def test_signs_in_elements_with_attributes_are_furniture(sign):
    for tag in ('<a class="headerlink" href="#top">', "<i class=fa>", "<b aria-label='top'>"):
        page = f"<main><p>one {tag}{sign}</{tag[1]}> two</p></main>"
        assert extract_main_content(page).split() == ["one", "two"]
        bare = page.replace(tag, tag[:2] + ">")
        assert len(extract_main_content(bare).split()) == 3


def test_a_dash_between_numbers_and_cells_of_one_character_stay():
    page = """<article><p>The range is 1<span>–</span>5, Price <b>€</b>120, x <i>≤</i> 5.</p>
    <table><tr><th>曜日</th><th>値</th></tr><tr><td>月</td><td>120</td></tr></table></article>"""
    text = extract_main_content(page)
    assert "The range is 1–5, Price €120, x ≤ 5." in text
    assert "月\t\t120" in text


@settings(deadline=None)
@given(text=TEXT, before=st.sampled_from(["", " ", "\n"]), spelled=st.booleans())
@example("où", "", True)
@example("<é", "", False)
def test_any_short_text_is_kept(text, before, spelled):
    source = "".join(f"&#{ord(char)};" for char in text) if spelled else escape(text)
    page = f"<article><p>one<b>{before}{source}</b>two</p></article>"
    kept = extract_main_content(page).removeprefix("one").removesuffix("two")
    assert "".join(kept.split()) == "".join(text.split())


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["<p>", "</p>", "<b>", "寺", "où", "&rarr;", "¶", "\1", "&#1;", "a"]))
)
def test_without_marks_the_page_is_the_same(parts):
    page = "".join(parts)
    kept = extract_with_marks(page, lambda html: html)
    assert kept == page if "&" not in page else unescape(kept) == unescape(page)


@pytest.mark.parametrize("control", ["\1", "&#1;", "&#x01;", "&#X1;", "&#0001"])
def test_a_page_with_the_mark_gets_another(control):
    page = f"<article><p>one{control}two<b>寺</b></p></article>"
    assert find_mark(page) == "\2"
    assert find_mark("&#10;&#x1f;&#11;") == "\1"
    assert extract_main_content(page) == "one\1two寺"


def test_a_page_with_all_control_characters_is_marked_by_another_plane():
    page = "".join(map(chr, CONTROLS))
    assert find_mark(page) == chr(0x100000)


def test_no_character_is_left(monkeypatch):
    monkeypatch.setattr(lone_characters, "PRIVATE_PLANE", range(0))
    with pytest.raises(ValueError, match="no character is left"):
        find_mark("".join(map(chr, CONTROLS)))
