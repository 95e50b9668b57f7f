"""Ruby: the reading of a word, in parentheses behind the word.

Extractors know no ruby: one glues readings to words, the other drops them. Browsers print them
above the line, or in parentheses where they cannot; so does this module. 漢字 read かんじ becomes
漢字(かんじ), and a page's own parentheses (rp elements) stay as they are. Readings in a row share
one pair.
"""

import re
from collections.abc import Iterator

TAG = re.compile(r"<(?i:(/?)(ruby|rb|rtc|rt|rp)(?:\s[^<>]*+)?)>")
READING_FOLLOWS = re.compile(r"\s*+<(?i:rt)[\s>]")
BLANKS = re.compile(r"\s*+")


def place_readings(html: str) -> str:
    """Return the page with readings in parentheses and without the tags within ruby elements.

    Blanks before those tags, and at the start of their elements, are the source's and not the
    text's: they go. Nothing else of the page changes.
    """
    return "".join(_place(html)) if "</ruby" in html or "</RUBY" in html else html


def _place(html: str) -> Iterator[str]:
    """Yield the text between tags of ruby, and what stands for each tag."""
    inside = False
    opened = False  # our parenthesis waits for its end
    own = False  # the page's own parenthesis stands before the reading
    end = 0
    for tag in TAG.finditer(html):
        name, starts = tag[2].lower(), not tag[1]
        opens = name == "ruby" and starts
        if not (inside or opens):
            continue
        before = html[end : tag.start()]
        yield before + tag[0] if opens else before.rstrip()
        end = tag.end()
        inside = True
        if name == "rp":
            own ^= starts
        elif starts and name in ("rt", "rtc"):
            if not own and not (opened and name == "rt"):
                yield ")(" if opened else "("
                opened = True
        elif opened and not (name == "rt" and READING_FOLLOWS.match(html, end)):
            yield ")"
            opened = False
        if starts and (blanks := BLANKS.match(html, end)):
            end = blanks.end()
        elif name == "ruby":
            yield tag[0]
            inside = own = False
    yield html[end:]
