import pytest

from pipelines.readers.pages.weighed_blocks import extract_weighed_blocks

BEFORE = "The kettle sings for a while before anyone gets up to pour the tea. " * 5
AFTER = "It is cold by the time that somebody remembers the cups on the table. " * 5


def extract(content: str) -> str:
    body = f"<article><p>{BEFORE}</p>{content}<p>{AFTER}</p></article>"
    text = extract_weighed_blocks(f"<html><body>{body}</body></html>")
    return text.removeprefix(BEFORE.strip()).removesuffix(AFTER.strip()).strip()


DROPPED_ALONE = [
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian with a non-joiner
    "\u0915\u094d\u200d\u0937",  # Devanagari with a joiner
    "\U0001f469\u200d\U0001f4bb",  # an emoji of two
    "\U0001f3f4\U000e0067\U000e0062\U000e007f",  # a flag spelled in tags
    "Donau\xaddampf",
    "a\u200fb",
    "\u06dd12",  # an Arabic sign around a number
    "\ue000a",  # private use
    "a\u2424b",
    "\U0001fae8",  # of Unicode 15; Python 3.11 knows 14
    "\U00031350",
]


@pytest.mark.parametrize("text", DROPPED_ALONE)
def test_no_character_of_a_text_is_dropped(text):
    assert extract(f"<p>one {text} two</p>") == f"one {text} two"
    assert extract(f"<p>one <b>{text}</b> two</p>") == f"one {text} two"


def test_characters_are_composed_and_blanks_are_spaces():
    assert extract("<p>cafe\u0301 \u212b a\xa0b\u3000c</p>") == "café Å a b c"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<p>one <b></b>two</p>", "one two"),
        ("<pre><span></span>one = two</pre>", "one = two"),
        ("<p>one <span><img src=a></span>two</p>", "one two"),
        ("<div>one<br>two</div>", "one\ntwo"),
        ("<div>one<p>two</p></div>", "one\ntwo"),
        ("<div>one:<ul><li>two</li></ul></div>", "one:\n- two"),
        ("<p>On <time>3 May</time> we met.</p>", "On 3 May we met."),
        ("<p>x <math><mo>≤</mo><mn>5</mn></math></p>", "x ≤5"),
        ("<figure><img src=a><figcaption>one</figcaption></figure>two", "one\ntwo"),
        ("<address>one</address>two", "one\ntwo"),
        ("<p><label>one</label> two</p>", "one two"),
        ("<p>1<span>–</span>5 <b>€</b>120</p>", "1–5 €120"),
    ],
)
def test_what_readers_see_is_kept(content, text):
    assert extract(content) == text


def test_text_in_divs_does_not_depend_on_captions():
    """A paragraph more would make trafilatura drop the text of all divs."""
    div = f"<div>{BEFORE}</div>"
    captions = "<figure><figcaption>One caption of many words.</figcaption></figure>" * 12
    page = (
        f"<html><body><article>{div}{captions}{div.replace('tea', 'milk')}</article></body></html>"
    )
    text = extract_weighed_blocks(page)
    assert text.count("kettle") == 10
    assert "One caption" in text


def test_what_is_no_page_is_empty():
    assert extract_weighed_blocks("") == ""
    assert extract_weighed_blocks("plain words") == extract_weighed_blocks("<i>plain words</i>")
