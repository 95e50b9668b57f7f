import pytest

from pipelines.readers.pages.extract import extract_text
from pipelines.readers.pages.site_forms import NAMES, is_of_site

SENTENCE = "The kettle sings for a while before anyone gets up to pour the tea. "
EXTRACTORS = ["resiliparse", "trafilatura"]


def test_a_form_is_told_by_names_and_inputs():
    assert is_of_site([None, "Site-Search"], [])
    assert is_of_site([], ["text", " Password "])
    assert not is_of_site(["quiz", None], ["radio", None])


def extract(form: str, extractor: str) -> str:
    text = f"<p>{SENTENCE * 6}</p>"
    return extract_text(f"<body><article>{text}{form}{text}</article></body>", extractor)


@pytest.mark.parametrize("extractor", EXTRACTORS)
def test_labels_of_an_article_are_text(extractor):
    quiz = "<form><p><label><input type=radio> Green tea</label></p><p>or black</p></form>"
    text = extract(quiz, extractor)
    assert "Green tea" in text
    assert "or black" in text
    assert "Water" in extract("<div><label for=x>Water</label></div>", extractor)


@pytest.mark.parametrize("extractor", EXTRACTORS)
@pytest.mark.parametrize("name", NAMES)
def test_labels_of_the_sites_forms_are_furniture(name, extractor):
    for attribute in (f'class="Site-{name.title()}"', f"action='/{name}?a=1'", f"id={name}"):
        form = f"<form {attribute}><label>Words</label> <input name=q></form>"
        assert "Words" not in extract(form, extractor)


@pytest.mark.parametrize("extractor", EXTRACTORS)
@pytest.mark.parametrize("kind", ["search", "PASSWORD"])
def test_inputs_tell_the_sites_forms(kind, extractor):
    assert "Words" not in extract(
        f"<form><label>Words</label><input type={kind}></form>", extractor
    )


@pytest.mark.parametrize("extractor", EXTRACTORS)
def test_a_form_around_the_page_is_no_loss(extractor):
    page = "<div><label>Words</label> of a quiz</div>"
    text = f"<p>{SENTENCE * 6}</p>{page}"
    html = f"<html><body><form id=aspnetForm><main>{text}</main></form></body></html>"
    assert SENTENCE.strip() in extract_text(html, extractor)
