"""Pages that some extractor would spend minutes on, refused.

Extractors are fast on all but a few kinds of page, whose time grows with the square of their size.
Those are refused by counts, not by the clock, so that the outcome is the same on any machine.
"""

import re
from itertools import accumulate

from pipelines.readers.records import RejectKind
from pipelines.readers.rows import BadRecord

# The slowest page found within these limits takes some 15 s, a usual one of 50 KB 1 to 50 ms.
MAX_CHARS = 10_000_000
MAX_DEPTH = 1000  # of div and article elements; browsers show 512
MAX_ATTRIBUTES = 4000  # of one element
SHORTEST_ATTRIBUTE = 2  # characters: a space and a name

BLOCK_TAG = re.compile(r"<(?=[/dDaA])(/?)(?i:div|article)\b")
START_TAG = re.compile(r"""<[a-z](?:"[^"]*+"|'[^']*+'|[^"'>])*+""", re.IGNORECASE)
QUOTED = re.compile(r""""[^"]*+"|'[^']*+'""")


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
    if not _has_gap(html, shortest):
        return 0
    tags = (match[0] for match in START_TAG.finditer(html) if len(match[0]) > shortest)
    return max((len(QUOTED.sub("", tag).split()) - 1 for tag in tags), default=0)


def _has_gap(html: str, length: int) -> bool:
    """Say whether more than `length` characters in a row hold no `>`; only a few are looked at."""
    start = 0
    while len(html) - start > length:
        last = html.rfind(">", start, start + length + 1)
        if last < 0:
            return True
        start = last + 1
    return False
