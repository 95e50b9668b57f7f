"""Edits of a page's tree, so that trafilatura keeps what the page's readers see.

Workarounds for trafilatura 2.3.1, each with its reason; reports for its maintainers are in
`docs/upstream/`. What it drops as the page's furniture is left to it.
"""

from collections.abc import Iterator
from itertools import takewhile

from lxml.etree import Element, XPath, _Element

from pipelines.readers.pages.site_forms import NAMED_BY, is_of_site

INLINE = frozenset(
    (
        *("a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn"),
        *("em", "font", "i", "img", "ins", "kbd", "mark", "nobr", "q", "ruby", "s", "samp"),
        *("small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var", "wbr"),
    )
)
CONTAINERS = ("body", "div", "section", "article", "main")
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
BREAKS = frozenset(
    ("br", "hr", "p", "ul", "ol", "dl", "table", "blockquote", "pre", "details", *HEADINGS)
)
LINES = frozenset(("p", "pre", *HEADINGS))
TEXT_BLOCKS = LINES | {"li", "dd", "dt", "td", "th", "blockquote"}
# `settings.CUT_EMPTY_ELEMS`, those within a line and the others.
CUT_INLINE = ("b", "em", "i", "q", "span", "strong")
CUT_BLOCKS = ("article", "blockquote", "div", "main", "p", "pre", "section", *HEADINGS)
FEW_PARAGRAPHS = 250  # characters, `MIN_EXTRACTED_SIZE` of settings.cfg
# Elements of `settings.MANUALLY_CLEANED` whose text nobody reads, so that it does not count.
UNREAD = ("script", "style", "svg", "noscript", "iframe", "object", "button", "select", "textarea")
IS_READ = f"not({' or '.join(f'ancestor::{tag}' for tag in UNREAD)})"
HAS_TEXT = XPath(f"boolean(.//text()[normalize-space()][{IS_READ}])")


def repair_tree(tree: _Element) -> None:
    """Edit a page's tree in place."""
    _rename_dropped(tree)
    _keep_labels(tree)
    _keep_tails(tree)
    _begin_first_lines(tree)


def _rename_dropped(tree: _Element) -> None:
    """Give other names to elements that `settings.MANUALLY_CLEANED` drops with their text.

    The text of `center`, `address` and the like is lost or glued, since they are not known.
    """
    for element in list(tree.iter("figure", "fieldset")):
        element.drop_tag()
    for element in tree.iter("figcaption", "address", "center", "legend"):
        _make_block(element)
    for element in tree.iter("xmp", "listing"):
        element.tag = "pre"
    for element in tree.iter("time", "output", "math"):
        if not _has_tex(element):  # what has it is kept as such, by `htmlprocessing.recover_math`
            element.tag = "span"


def _make_block(element: _Element) -> None:
    """Make an element a quote, a paragraph of its own; within a line, a part of it between blanks.

    Not a `p`: where a page has few of those, trafilatura takes text from every `div`.
    """
    if _is_in(element, LINES):
        element.tag = "span"
        element.text = f" {element.text or ''}"
        element.tail = f" {element.tail or ''}"
    elif not _has_blocks(element):
        element.tag = "blockquote"


def _keep_labels(tree: _Element) -> None:
    """Keep the labels of controls; within a form, where that is an article's, not a site's."""
    for form in list(tree.iter("form")):
        if _is_of_article(form) and _find(form, "label"):
            form.drop_tag()
    for label in tree.iter("label"):
        if not _is_in(label, {"form"}):
            label.tag = "span" if _is_in(label, TEXT_BLOCKS) else "blockquote"


def _keep_tails(tree: _Element) -> None:
    """Keep the text behind an element without text of its own.

    `htmlprocessing.prune_html` deletes such elements with their tails where precision is favoured:
    of `<p>one <b></b>two</p>` "two" is lost.
    """
    for element in list(tree.iter(*CUT_INLINE, *CUT_BLOCKS)):
        if element.text is not None or not (element.tail or "").strip() or HAS_TEXT(element):
            continue
        if element.tag in CUT_INLINE:
            element.drop_tag()
        else:
            element.tag = "br"
            element.attrib.clear()


def _break_before(text: str) -> _Element:
    """Return a line break with a text behind it."""
    line_break = Element("br")
    line_break.tail = text
    return line_break


def _begin_first_lines(tree: _Element) -> None:
    """Put a line break before the text at the start of a block, if another break or block follows.

    `main_extractor` takes text from a div only where the page has few paragraphs, but always takes
    what is behind a line break: of `<div>one<br>two</div>` "one" is lost.
    """
    if len("".join(tree.xpath("//p//text()"))) < FEW_PARAGRAPHS:
        return
    for block in list(tree.iter(*CONTAINERS)):
        line = list(takewhile(_is_inline, block))
        after = block[len(line)] if len(line) < len(block) else None
        if after is None or after.tag not in BREAKS or not (block.text and block.text.strip()):
            continue
        if _is_in(block, TEXT_BLOCKS):  # their texts are all taken
            continue
        text, block.text = block.text, None
        # Links tell navigation; code is what `recover_wild_text` goes by.
        if not any(_find(element, "a", "code") for element in line):
            text += "".join(_drain(line))
        block.insert(0, _break_before(text))


def _drain(line: list[_Element]) -> Iterator[str]:
    """Yield the texts of elements and behind them, and remove the elements."""
    for element in line:
        if isinstance(element.tag, str):
            yield from element.itertext(with_tail=False)
        yield element.tail or ""
        element.getparent().remove(element)


def _is_inline(element: _Element) -> bool:
    return element.tag in INLINE or not isinstance(element.tag, str)  # a comment


def _has_blocks(element: _Element) -> bool:
    return any(not _is_inline(each) and each.tag != "br" for each in element.iterdescendants())


def _has_tex(math: _Element) -> bool:
    return bool(math.get("alttext")) or _find(math, "annotation")


def _is_of_article(form: _Element) -> bool:
    inputs = (element.get("type") for element in form.iter("input"))
    return _is_in(form, {"article", "main"}) and not is_of_site(map(form.get, NAMED_BY), inputs)


def _is_in(element: _Element, tags: frozenset[str] | set[str]) -> bool:
    return any(ancestor.tag in tags for ancestor in element.iterancestors())


def _find(element: _Element, *tags: str) -> bool:
    return next(element.iter(*tags), None) is not None
