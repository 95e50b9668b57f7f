import pytest

from pipelines.readers.pages.extract import extract_text
from pipelines.readers.pages.page_limits import MAX_ATTRIBUTES, MAX_CHARS, MAX_DEPTH, check_page
from pipelines.readers.rows import BadRecord

SENTENCE = "The kettle sings for a while before anyone gets up to pour the tea. "


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
    check_page(html)


def test_pages_too_long_are_refused():
    with pytest.raises(BadRecord, match="10,000,001 characters") as caught:
        extract_text("x" * (MAX_CHARS + 1), "raw")
    assert caught.value.error == "too_long"
