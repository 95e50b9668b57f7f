"""From HTML to the text that a reader of the page came for.

`resiliparse` is fast (tens of MB/s) and takes the page's main content by simple rules;
`trafilatura` weighs blocks of text and is what FineWeb was made with, some thirty times slower;
`raw` leaves the markup, for a corpus of markup. A page without main text gives an empty text, which
is not an error: rules drop it, and the ledger counts it.

Extractors are fast on all but a few kinds of page, whose time grows with the square of their size.
Those are refused by counts, not by the clock, so that the outcome is the same on any machine.
"""

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import accumulate

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5
from resiliparse.parse.html import HTMLTree

from pipelines.readers.records import PAYLOAD_LIMIT, Item, Record, Reject, RejectKind
from pipelines.readers.rows import BadRecord

# The slowest page found within these limits takes some 15 s, a usual one of 50 KB 1 to 50 ms.
MAX_CHARS = 10_000_000
MAX_DEPTH = 1000  # of div and article elements; browsers show 512
MAX_ATTRIBUTES = 4000  # of one element
SHORTEST_ATTRIBUTE = 2  # characters: a space and a name

BLOCK_TAG = re.compile(r"<(/?)(?:div|article)\b", re.IGNORECASE)
START_TAG = re.compile(r"""<[a-z](?:"[^"]*+"|'[^']*+'|[^"'>])*+""", re.IGNORECASE)
BODY = re.compile(r"</head\s*>|<body\b[^>]*>", re.IGNORECASE)
DEEPER = "<div><div><div>"
QUOTED = re.compile(r""""[^"]*+"|'[^']*+'""")
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
ESCAPE = b"\x1b"  # begins the shifts of 7-bit encodings, ISO-2022-JP on the web


def extract_text(html: str, extractor: str) -> str:
    """Return the text of a page by one of `EXTRACTORS`; empty where it has no main text.

    Raises:
        BadRecord: `too_long` or `too_complex` for a page that would take too long, `bad_html` for
            one that the extractor fails on.
    """
    check_page(html)
    try:
        return EXTRACTORS[extractor](html)
    except ImportError:
        raise
    except Exception as error:  # whatever a library raises on a page is that page's fault
        message = f"{extractor} fails: {type(error).__name__}: {error}"
        raise BadRecord(RejectKind.BAD_HTML, message) from None


def extract_records(items: Iterable[Item], extractor: str) -> Iterator[Item]:
    """Yield items with the text of every record, which is HTML, replaced by its main text."""
    for item in items:
        if not isinstance(item, Record):
            yield item
            continue
        try:
            yield item._replace(text=extract_text(item.text, extractor))
        except BadRecord as error:
            payload = item.text.encode()[:PAYLOAD_LIMIT]
            yield Reject(item.locator, error.error, str(error), payload)


def describe_page(html: str) -> dict[str, str]:
    """Return the page's `title` and `language` (of its html element), where it states them."""
    tree = HTMLTree.parse(html)
    root = tree.document.query_selector("html") if tree.document else None
    language = root.getattr("lang") if root else None
    stated = {"title": tree.title, "language": language}
    return {name: value.strip() for name, value in stated.items() if value and value.strip()}


def decode_page(data: bytes, charset: str | None = None) -> str:
    """Return the text of encoded HTML or plain text; `charset` is what its transfer stated.

    What is valid UTF-8 is taken for it. Else the stated charset, the page's own (in a meta element)
    and the one that its bytes look like are tried in turn; if none fits throughout, the one that
    leaves the fewest replacement characters is used.
    """
    if not data.startswith(UTF16_MARKS) and ESCAPE not in data:
        with suppress(UnicodeDecodeError):
            return data.decode("utf-8").removeprefix("\ufeff")
    names = dict.fromkeys(_candidates(data, charset))
    for name in names:
        with suppress(UnicodeDecodeError):
            return data.decode(name).removeprefix("\ufeff")
    texts = [data.decode(name, "replace") for name in names]
    return min(texts, key=lambda text: text.count("\ufffd")).removeprefix("\ufeff")


def check_page(html: str) -> None:
    """Refuse a page that some extractor would spend minutes on.

    Raises:
        BadRecord: `too_long` or `too_complex`.
    """
    if len(html) > MAX_CHARS:
        message = f"page of {len(html):,} characters; the limit is {MAX_CHARS:,}"
        raise BadRecord(RejectKind.TOO_LONG, message)
    for count, limit, of in (
        (_count_depth(html), MAX_DEPTH, "nested div or article elements"),
        (_count_attributes(html), MAX_ATTRIBUTES, "attributes of one element"),
    ):
        if count > limit:
            raise BadRecord(RejectKind.TOO_COMPLEX, f"{count:,} {of}; the limit is {limit:,}")


def _count_depth(html: str) -> int:
    """Return how deep blocks are nested, by their tags; at most MAX_DEPTH may be a guess of 0."""
    if html.count("<") <= MAX_DEPTH:
        return 0
    steps = (-1 if slash else 1 for slash in BLOCK_TAG.findall(html))
    return max(accumulate(steps), default=0)


def _count_attributes(html: str) -> int:
    """Return the most attributes of one tag; at most MAX_ATTRIBUTES may be a guess of 0."""
    shortest = SHORTEST_ATTRIBUTE * MAX_ATTRIBUTES
    if max(map(len, html.split(">"))) <= shortest:
        return 0
    tags = (match[0] for match in START_TAG.finditer(html) if len(match[0]) > shortest)
    return max((len(QUOTED.sub("", tag).split()) - 1 for tag in tags), default=0)


def _candidates(data: bytes, charset: str | None) -> Iterator[str]:
    """Yield the names of encodings to try, as Python knows them."""
    if data.startswith(UTF16_MARKS):
        yield "utf-16"
    stated = map_encoding_to_html5(charset, fallback_utf8=False) if charset else None
    if stated:
        yield stated
    yield detect_encoding(data, from_html_meta=True) or "utf-8"
    yield detect_encoding(data) or "utf-8"
    yield "utf-8"


def _resiliparse(html: str) -> str:
    """Main content with its lines and lists; no link targets, forms, comments or image texts.

    Any list less than three elements below the body would be taken for the site's navigation, which
    costs plain pages and fragments most of their text. So the body's content is put deeper;
    navigation is still told by its links.
    """
    body = BODY.search(html)
    at = body.end() if body else 0
    html = f"{html[:at]}{DEEPER}{html[at:]}"
    text: str = extract_plain_text(
        html,
        preserve_formatting=True,
        main_content=True,
        list_bullets=True,
        alt_texts=False,
        links=False,
        form_fields=False,
        noscript=False,
        comments=False,
        post_meta=False,
        skip_elements=("footer", "title"),
    )
    return text


def _trafilatura(html: str) -> str:
    """As FineWeb: precision before recall, tables kept, comments not.

    FineWeb also had `deduplicate` on. That compares with pages seen before by the same process, so
    a page's text would depend on the order of pages; here later stages find repetition.
    """
    from trafilatura import extract  # takes a second, and not every run needs it

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # it logs every empty page
    return extract(html, favor_precision=True, include_comments=False, deduplicate=False) or ""


def _raw(html: str) -> str:
    return html


EXTRACTORS: Mapping[str, Callable[[str], str]] = {
    "resiliparse": _resiliparse,
    "trafilatura": _trafilatura,
    "raw": _raw,
}
