import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.readers.pages.extract import EXTRACTORS, extract_text
from pipelines.readers.rows import BadRecord

MAIN = ["resiliparse", "trafilatura"]
SENTENCE = "The kettle sings for a while before anyone gets up to pour the tea. "
ARTICLE = f"""<!DOCTYPE html><html lang="en-GB"><head><title> On
 tea </title><style>p {{ color: red }}</style>
<script>var tea = "scripted";</script></head><body>
<nav><ul><li><a href="/">Home page</a></li><li><a href="/about">About us</a></li></ul></nav>
<article><h1>How to brew</h1><p>{SENTENCE * 4}</p>
<ul><li>Boil the water.</li><li>Wait &amp; pour.</li></ul>
<p>{SENTENCE * 4}<a href="http://example.org/link">Linked words</a> end it.</p>
<table><tr><td>Green tea leaves</td><td>Two minutes of time</td></tr></table>
<img src="cup.png" alt="A picture of a cup">
<form><input value="Typed value"><button>Press me</button></form></article>
<!-- a remark --><footer>Copyright notice</footer></body></html>"""


@pytest.mark.parametrize("extractor", MAIN)
def test_main_text_is_kept_and_the_rest_is_not(extractor):
    text = extract_text(ARTICLE, extractor)
    assert text.count(SENTENCE.strip()) == 8
    for kept in ("Boil the water.", "Wait & pour.", "Linked words end it.", "Two minutes"):
        assert kept in text
    for gone in (
        "Home page",
        "scripted",
        "color",
        "example.org",
        "remark",
        "Copyright",
        "Typed",
        "Press me",
        "<p>",
        "A picture",
        "Secret",
    ):
        assert gone not in text


@pytest.mark.parametrize("extractor", MAIN)
def test_list_items_stay_on_lines_of_their_own(extractor):
    lines = [line.strip(" •-") for line in extract_text(ARTICLE, extractor).splitlines()]
    assert {"Boil the water.", "Wait & pour."} <= set(lines)


def test_raw_is_the_markup():
    assert extract_text(ARTICLE, "raw") == ARTICLE


@pytest.mark.parametrize("extractor", MAIN)
@pytest.mark.parametrize(
    "html", ["", " ", "<html></html>", "<!-- -->", "\0", "<script>x()</script>"]
)
def test_a_page_without_main_text_gives_an_empty_one(extractor, html):
    assert extract_text(html, extractor).strip("\0\ufffd \n") == ""


@pytest.mark.parametrize("extractor", MAIN)
def test_a_text_does_not_depend_on_the_pages_before(extractor):
    texts = {extract_text(ARTICLE, extractor) for _ in range(5)}
    assert len(texts) == 1


MARKUP = st.lists(
    st.sampled_from(
        ["<p>", "</p>", "<div>", "</div>", "<table>", "<td>", "<a href='x>", "<!--", "-->", "&#0;",
         "&#xD800;", "&#x110000;", "&bogus;", "<svg>", "<select>", "<![CDATA[", "<?xml?>", "<", ">",
         "\0", "\x1b", "\ufeff", "\ud83d\ude00", SENTENCE, "<br/>", "<ul><li>", "<title>", "<body"]
    )
    | st.text(max_size=5),
    max_size=30,
).map("".join)  # fmt: skip


@pytest.mark.parametrize("extractor", MAIN)
@settings(deadline=None, max_examples=60)
@given(html=MARKUP)
@example("<p>" + SENTENCE * 9 + "&#xD800;&#0;</p>")
def test_any_markup_gives_text_or_a_reason(extractor, html):
    try:
        extract_text(html, extractor).encode()
    except BadRecord as error:
        assert error.error == "bad_html"  # noqa: PT017 - most pages raise nothing


def test_what_a_library_raises_is_the_reason(monkeypatch):
    def fail(html):
        raise RecursionError("too deep for me")

    monkeypatch.setitem(EXTRACTORS, "trafilatura", fail)
    with pytest.raises(BadRecord, match="trafilatura fails: RecursionError: too deep") as caught:
        extract_text(ARTICLE, "trafilatura")
    assert caught.value.error == "bad_html"


def test_a_missing_library_is_not_the_pages_fault(monkeypatch):
    def fail(html):
        raise ImportError("no such library")

    monkeypatch.setitem(EXTRACTORS, "trafilatura", fail)
    with pytest.raises(ImportError):
        extract_text(ARTICLE, "trafilatura")
