"""A page's main content by resiliparse, with what its readers see and resiliparse does not.

Workarounds for resiliparse 2.0.1, each with its reason; reports for its maintainers are in
`docs/upstream/`. Navigation, forms of the site, comments and other furniture are left to its rules.
"""

import re

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

from pipelines.readers.pages.lone_characters import extract_with_marks
from pipelines.readers.pages.readings import place_readings
from pipelines.readers.pages.site_forms import NAMED_BY, is_of_site

# Any list less than three elements below the body would be taken for the site's navigation, which
# costs plain pages and fragments most of their text. So the body's content is put deeper;
# navigation is still told by its links.
BODY = re.compile(r"</head\s*>|<body\b[^>]*>", re.IGNORECASE)
DEEPER = "<div><div><div>"

# `time` is dropped wherever it stands. Blocks that resiliparse does not know as such glue words to
# those around them. Their attributes stay, and the rules for them.
RENAMED = {
    "time": "span",
    "summary": "section",
    "legend": "section",
    "dialog": "section",
    "menu": "ul",
}
# Three letters tell almost all other tags at once.
LIKELY = r"(?=[tTsSlLdDmMrR][iIuUeEaA][mMgGaAnNbB])"
RENAMED_TAG = re.compile(rf"<(/?){LIKELY}(?i:({'|'.join(RENAMED)}))(?=[\s/>])")
END_TAG = re.compile(rf"</{LIKELY}((?i:{'|'.join(RENAMED)}|ruby|label))\b")

# `alt_texts=False` and `form_fields=False` drop figures with their captions and all labels, so both
# are on, and this drops the rest.
SKIPPED = (
    *("footer", "title"),
    *("img", "area", "svg", "object", "embed", "audio", "video"),
    *("textarea", "input", "button", "select", "option"),
)
# Hidden from all but screen readers
HIDDEN_LABELS = ("label.sr-only", "label.screen-reader-text")


def extract_main_content(html: str) -> str:
    """Return the main content with its lines and lists; empty if the page has none.

    No link targets, form fields, comments or texts of images.
    """
    found = {name.lower() for name in END_TAG.findall(html)}
    if found - {"label"}:
        html = RENAMED_TAG.sub(_rename, place_readings(html))
    body = BODY.search(html)
    at = body.end() if body else 0
    html = f"{html[:at]}{DEEPER}{html[at:]}"
    return extract_with_marks(html, _extract_with_labels if "label" in found else _extract)


def _extract_with_labels(html: str) -> str:
    """Labels stay, but in forms of the site."""
    tree = HTMLTree.parse(html)
    for form in tree.document.query_selector_all("form") if tree.document else ():
        inputs = (each.getattr("type") for each in form.query_selector_all("input[type]"))
        if is_of_site(map(form.getattr, NAMED_BY), inputs):
            for label in form.query_selector_all("label"):
                label.decompose()
    return _extract(tree, HIDDEN_LABELS)


def _rename(tag: re.Match[str]) -> str:
    return f"<{tag[1]}{RENAMED[tag[2].lower()]}"


def _extract(html: str | HTMLTree, also_skipped: tuple[str, ...] = ()) -> str:
    text: str = extract_plain_text(
        html,
        preserve_formatting=True,
        main_content=True,
        list_bullets=True,
        alt_texts=True,
        links=False,
        form_fields=True,
        noscript=False,
        comments=False,
        post_meta=False,
        skip_elements=SKIPPED + also_skipped,
    )
    return text
