import pytest

from pipelines.readers.pages.extract import extract_text
from pipelines.readers.pages.site_forms import NAMES

SENTENCE = "The kettle sings for a while before anyone gets up to pour the tea. "
EXTRACTORS = ["resiliparse", "trafilatura"]


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
