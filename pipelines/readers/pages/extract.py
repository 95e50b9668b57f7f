"""From HTML to the text that a reader of the page came for.

`resiliparse` is fast (tens of MB/s) and takes the page's main content by simple rules;
`trafilatura` weighs blocks of text and is what FineWeb was made with, some thirty times slower;
`raw` leaves the markup, for a corpus of markup. A page without main text gives an empty text, which
is not an error: rules drop it, and the ledger counts it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from pipelines.readers.pages.main_content import extract_main_content
from pipelines.readers.pages.page_limits import check_page
from pipelines.readers.pages.weighed_blocks import extract_weighed_blocks
from pipelines.readers.records import PAYLOAD_LIMIT, Item, Record, Reject, RejectKind
from pipelines.readers.rows import BadRecord


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


def _raw(html: str) -> str:
    return html


EXTRACTORS: Mapping[str, Callable[[str], str]] = {
    "resiliparse": extract_main_content,
    "trafilatura": extract_weighed_blocks,
    "raw": _raw,
}
