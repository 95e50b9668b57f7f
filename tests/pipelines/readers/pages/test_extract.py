import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pipelines.readers.extract import (
    EXTRACTORS,
    MAX_ATTRIBUTES,
    MAX_CHARS,
    MAX_DEPTH,
    decode_page,
    describe_page,
    extract_text,
)

from pipelines.readers import extract
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


@pytest.mark.parametrize("start", ["", "<body class=a>", "<html><title>Title</title>", "<main>"])
def test_lists_near_the_body_are_not_taken_for_navigation(start):
    content = f"<p>{SENTENCE * 4}</p><ul><li>Boil the water.</li></ul><p>{SENTENCE * 4}</p>"
    text = extract_text(start + content, "resiliparse")
    assert "Boil the water." in text
    assert "Title" not in text


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


@pytest.mark.parametrize("tag", ["div", "DIV class='a'", "article"])
def test_pages_nested_too_deep_are_refused(tag):
    fitting, deep = (f"<{tag}>" * depth + SENTENCE for depth in (MAX_DEPTH, MAX_DEPTH + 1))
    assert extract_text(fitting, "resiliparse") == SENTENCE.strip()
    with pytest.raises(BadRecord, match="1,001 nested div or article elements") as caught:
        extract_text(deep, "resiliparse")
    assert caught.value.error == "too_complex"


@pytest.mark.parametrize("attribute", [" a{}", " a{}='>'", '\na{}="x y"'])
def test_elements_of_too_many_attributes_are_refused(attribute):
    fitting, many = (
        "<p " + "".join(map(attribute.format, range(count))) + f">{SENTENCE}" + "x" * 10_000
        for count in (MAX_ATTRIBUTES, MAX_ATTRIBUTES + 1)
    )
    assert SENTENCE.strip() in extract_text(fitting, "resiliparse")
    if ">" in attribute:
        return
    with pytest.raises(BadRecord, match="4,001 attributes of one element") as caught:
        extract_text(many, "resiliparse")
    assert caught.value.error == "too_complex"


@pytest.mark.parametrize(
    "html",
    [
        f"<div>{SENTENCE}</div>" * 3000,
        "<p>" + "<br>" * 3000,
        "<pre>" + "plain words and more, a < b " * 3000,
        '<img src="data:image/png;base64,' + "QUJD " * 9000 + f'"><p>{SENTENCE}',
        "<p title='" + "many words " * 9000 + f"'>{SENTENCE}",
        "<script>" + "var a = b;\n" * 9000 + f"</script><p>{SENTENCE}",
    ],
)
def test_large_but_ordinary_pages_are_not_refused(html):
    extract.check_page(html)


def test_pages_too_long_are_refused():
    with pytest.raises(BadRecord, match="10,000,001 characters") as caught:
        extract_text("x" * (MAX_CHARS + 1), "raw")
    assert caught.value.error == "too_long"


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


def test_a_page_is_described_by_what_it_states():
    assert describe_page(ARTICLE) == {"title": "On tea", "language": "en-GB"}
    assert describe_page("<html lang=''><title> </title>") == {}
    assert describe_page("") == {}


CYRILLIC = "Чайник поёт долго, прежде чем кто-нибудь встанет. " * 4
JAPANESE = "お茶を淹れる前に、やかんがしばらく歌います。" * 4


@pytest.mark.parametrize(
    ("text", "encoding", "charset"),
    [
        ("naïve", "utf-8", None),
        ("naïve", "utf-8-sig", "latin-1"),
        ("naïve", "utf-8", "iso-8859-1"),  # a wrong label, as servers' defaults are
        ("naïve “quoted”", "cp1252", "ISO-8859-1"),
        (CYRILLIC, "cp1251", "windows-1251"),
        (CYRILLIC, "cp1251", None),
        (CYRILLIC, "koi8-r", "no-such-charset"),
        (f"<meta charset=shift_jis>{JAPANESE}", "shift_jis", None),
        (f'<meta http-equiv=a content="text/html; charset=euc-jp">{JAPANESE}', "euc-jp", None),
        (JAPANESE, "iso-2022-jp", "iso-2022-jp"),
        (JAPANESE, "utf-16", None),
        (JAPANESE, "utf-16-le", "utf-16le"),
        ("", "utf-8", None),
    ],
)
def test_pages_are_decoded(text, encoding, charset):
    assert decode_page(text.encode(encoding), charset) == text


def test_a_page_cut_inside_a_character_keeps_the_rest():
    data = ("<meta charset=utf-8>" + JAPANESE).encode()[:-1]
    assert decode_page(data, "utf-8") == "<meta charset=utf-8>" + JAPANESE[:-1] + "\ufffd"


@settings(deadline=None)
@given(data=st.binary(max_size=200), charset=st.none() | st.text(max_size=8))
@example(b"\xff\xfe\x00", None)
@example(b"\x1b$B\xff", "iso-2022-jp")
def test_any_bytes_decode(data, charset):
    decode_page(data, charset).encode()
