"""A page's blocks of text, weighed by trafilatura."""

import logging


def extract_weighed_blocks(html: str) -> str:
    """Return the text as FineWeb took it: precision before recall, tables kept, comments not.

    FineWeb also had `deduplicate` on. That compares with pages seen before by the same process, so
    a page's text would depend on the order of pages; here later stages find repetition.
    """
    from trafilatura import extract  # takes a second, and not every run needs it

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # it logs every empty page
    return extract(html, favor_precision=True, include_comments=False, deduplicate=False) or ""
