import pytest
from lxml.html import fromstring, tostring

from pipelines.readers.pages.tree_repairs import FEW_PARAGRAPHS, repair_tree

MANY = f"<p>{'a' * FEW_PARAGRAPHS}</p>"


def repair(content: str, around: str = "<div>{}</div>") -> str:
    tree = fromstring(f"<html><body>{around.format(content)}</body></html>")
    repair_tree(tree)
    start, end = f"<body>{around}</body>".split("{}")
    source = tostring(tree, encoding="unicode")
    return (
        source.removeprefix("<html>").removesuffix("</html>").removeprefix(start).removesuffix(end)
    )


@pytest.mark.parametrize(
    ("source", "repaired"),
    [
        ("<p>a<b></b>c</p>", "<p>ac</p>"),
        ("<p>a <span><img></span>c</p>", "<p>a <img>c</p>"),
        ("<pre><span></span>c</pre>", "<pre>c</pre>"),
        ("<section></section>c", "<br>c"),
        ("<div><script>x</script></div>c", "<br>c"),
    ],
)
def test_texts_behind_empty_elements_are_kept(source, repaired):
    assert repair(source) == repaired


@pytest.mark.parametrize(
    "source",
    ["<p>a<b>b</b>c</p>", "<p>a<b> </b>c</p>", "<p>a<b></b></p>", "<p><b><i>a</i></b>c</p>"],
)
def test_other_elements_are_left(source):
    assert repair(source) == source


@pytest.mark.parametrize(
    ("source", "repaired"),
    [
        ("<p>On <time>3 May</time></p>", "<p>On <span>3 May</span></p>"),
        ("<p>a <output>b</output></p>", "<p>a <span>b</span></p>"),
        ("<math><mi>x</mi></math>", "<span><mi>x</mi></span>"),
        ("<figure><img><figcaption>a</figcaption></figure>b", "<img><blockquote>a</blockquote>b"),
        ("<fieldset><legend>a</legend>b</fieldset>", "<blockquote>a</blockquote>b"),
        ("<address>a <b>c</b></address>", "<blockquote>a <b>c</b></blockquote>"),
        ("<center>a<p>b</p></center>", "<center>a<p>b</p></center>"),
        ("<listing>a</listing>", "<pre>a</pre>"),
        ("<p>a<label>b</label></p>", "<p>a<span>b</span></p>"),
        ("<label>a</label>", "<blockquote>a</blockquote>"),
        ("<form><label>a</label></form>", "<form><label>a</label></form>"),
    ],
)
def test_elements_that_would_be_dropped_have_other_names(source, repaired):
    assert repair(source) == repaired


def test_math_that_has_tex_is_left():
    math = '<math alttext="x"><mi>x</mi></math>'
    assert repair(math) == math


def test_a_caption_within_a_line_is_a_part_of_it():
    figure = "<figure><figcaption>b</figcaption></figure>"
    assert repair(f"<p>a{figure}c</p>") == "<p>a<span> b</span> c</p>"


def test_forms_of_an_article_with_labels_are_unwrapped():
    form = "<form><label>a</label> b</form>"
    assert repair(form, "<article>{}</article>") == "<blockquote>a</blockquote> b"
    search = '<form role="search"><label>a</label> b</form>'
    assert repair(search, "<article>{}</article>") == search


@pytest.mark.parametrize(
    ("source", "repaired"),
    [
        ("a<br>b", "<br>a<br>b"),
        ("a <b>b</b> c<ul><li>d</li></ul>", "<br>a b c<ul><li>d</li></ul>"),
        ("a <code>b</code> c<br>d", "<br>a <code>b</code> c<br>d"),
        ("a <a>b</a> c<br>d", "<br>a <a>b</a> c<br>d"),
        ("a<!-- b --> c<p>d</p>", "<br>a c<p>d</p>"),
        ("a<div>b</div>", "a<div>b</div>"),
        ("a <b>b</b>", "a <b>b</b>"),
        (" <b>b</b><br>c", " <b>b</b><br>c"),
    ],
)
def test_first_lines_begin_with_a_break_where_paragraphs_are_many(source, repaired):
    around = f"{MANY}<div>{{}}</div>"
    assert repair(source, around) == repaired
    assert repair(source) == source
    assert repair(source, f"{MANY}<ul><li><div>{{}}</div></li></ul>") == source
