import pytest

from pipelines.readers.pages.main_content import extract_main_content

SENTENCE = "The kettle sings for a while before anyone gets up to pour the tea. "


@pytest.mark.parametrize("start", ["", "<body class=a>", "<html><title>Title</title>", "<main>"])
def test_lists_near_the_body_are_not_taken_for_navigation(start):
    content = f"<p>{SENTENCE * 4}</p><ul><li>Boil the water.</li></ul><p>{SENTENCE * 4}</p>"
    text = extract_main_content(start + content)
    assert "Boil the water." in text
    assert "Title" not in text


def extract(content: str) -> str:
    return extract_main_content(f"<body><article><p>{SENTENCE}</p>{content}</article></body>")


@pytest.mark.parametrize(
    "content",
    [
        "<p>On <time datetime='2020-05-03'>3 May</time> we met.</p>",
        "<p>On <TIME>3 May</TIME> we met.</p>",
        "<p><label for=a>On 3 May</label> we met.</p>",
        "<figure><img src=a.png alt=Dropped><figcaption>On 3 May we met.</figcaption></figure>",
    ],
)
def test_what_readers_see_is_kept(content):
    assert extract(content).endswith("On 3 May we met.")


@pytest.mark.parametrize(
    "content",
    [
        "<details><summary>one</summary>two</details>",
        "<fieldset><legend>one</legend>two</fieldset>",
        "<dialog open>one</dialog>two",
        "<div>one<br>two</div>",
        "<table><tr><td>one</td><td>two</td></tr></table>",
    ],
)
def test_blocks_do_not_glue_words(content):
    assert extract(content).split()[-2:] == ["one", "two"]


def test_a_summary_is_no_cluster_of_links():
    links = "<a href=/a>one</a> <a href=/b>two</a>"
    nested = f"<div><div><div><details><summary>{links}</summary>three</details></div></div></div>"
    assert extract(nested).split()[-3:] == ["one", "two", "three"]


def test_other_tags_with_such_beginnings_are_left():
    assert extract("<timeline>one</timeline> <menu-bar>two</menu-bar>").endswith("one two")


def test_images_and_controls_are_dropped_still():
    dropped = (
        "<img alt=Aa><area alt=Aa><svg><text>Aa</text></svg><video>Aa</video><object>Aa</object>"
        "<audio>Aa</audio><embed alt=Aa><button>Aa</button><input value=Aa><textarea>Aa</textarea>"
        "<select><option>Aa</option></select>"
    )
    assert extract(f"<p>one{dropped}two</p>").endswith("onetwo")
