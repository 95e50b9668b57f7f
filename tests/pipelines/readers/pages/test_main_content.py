import pytest

from pipelines.readers.pages.main_content import extract_main_content

SENTENCE = "The kettle sings for a while before anyone gets up to pour the tea. "


@pytest.mark.parametrize("start", ["", "<body class=a>", "<html><title>Title</title>", "<main>"])
def test_lists_near_the_body_are_not_taken_for_navigation(start):
    content = f"<p>{SENTENCE * 4}</p><ul><li>Boil the water.</li></ul><p>{SENTENCE * 4}</p>"
    text = extract_main_content(start + content)
    assert "Boil the water." in text
    assert "Title" not in text
