"""Text nodes that resiliparse takes for an icon, though they are text.

resiliparse 2.0.1 with `main_content` drops a text node that is one private-use character (an icon
of a font), and compares its UTF-8 form with them as one number, bytes in reverse order. So any node
of three bytes that ends in one beyond ASCII is dropped, but 1 of 100: one character of three bytes
(寺, €, ≤, →, a wide blank), or an ASCII character and one of two bytes (où, 5°, m², 7 and a
no-break space). See `docs/upstream/resiliparse-three-bytes.md`.

A mark behind such a text makes it longer, and is taken out of what was extracted. The mark is a
control character that the page does not hold. It is also put in comments and scripts that look like
text between tags, which changes nothing.
"""

import re
from collections.abc import Callable
from html import escape, unescape
from itertools import chain

BLANKS = "\0\t\n\v\f\r "  # what resiliparse strips before it compares; a NUL is no text at all
BLANK = f"[{BLANKS}]*+"
ENDS = rf"(?={BLANK}(?:<|\Z))"
TWO_BYTES = r"[\x80-\u07ff]"
PLAIN = rf"[\u0800-\uffff]|[\x01-\x7f]{TWO_BYTES}"
# A ¶ behind a quote is in an element with attributes, and is no text (see below).
LONE = re.compile(rf">({BLANK}(?:{PLAIN}|¶(?<![\"']>¶))){ENDS}")

# The same with entities, without their "&". Blanks may be entities too.
NAME = r"[A-Za-z][0-9A-Za-z]{1,31}"
ANY = rf"(?:#[0-9]{{1,9}}|#[xX][0-9a-fA-F]{{1,8}}|{NAME});?"
BEYOND_ASCII = rf"(?!(?:[lg]t|amp|quot|apos|#39);){ANY}"
TWO_BYTES_ALONE = (
    r"(?:nbsp|copy|reg|[lr]aquo|middot|times|deg|sect|#[0-9]{1,3}|#[xX].{1,2});"  # the commonest
)
WIDE = rf"(?!{TWO_BYTES_ALONE}){BEYOND_ASCII}|#182;?|#[xX][bB]6;?"
BLANK_ENTITY = r"(?:#(?:9|1[0-3]|32)|#[xX](?:[9a-dA-D]|20)|Tab|NewLine);"
GAP = rf"(?:[{BLANKS}]|&{BLANK_ENTITY})*+"
SPELLED = rf"&(?:{WIDE})|[!-~]&{BEYOND_ASCII}|&{ANY}(?:&{BEYOND_ASCII}|{TWO_BYTES})"
WITH_ENTITY = re.compile(rf">({GAP}(?:{SPELLED}|{PLAIN}){GAP})(?=<|\Z)")
# Finds out fast that a page has none, as most have.
ENTITY_ENDS = re.compile(
    rf"&(?:(?<=[{BLANKS}>;]&)(?:{WIDE}|{ANY}{TWO_BYTES})"
    rf"|(?:(?<=;&)|(?<=[{BLANKS}>;][!-~]&)){BEYOND_ASCII}|{BLANK_ENTITY}){ENDS}"
)

LOST_BYTES = 3
SIGN = re.compile("[¶\ue000-\uf8ff]")  # an icon is a character of the private-use area

CONTROLS = (*range(1, 9), *range(14, 32), 127)
PRIVATE_PLANE = range(0x100000, 0x10FFFE)


def extract_with_marks(html: str, extract: Callable[[str], str]) -> str:
    """Return what `extract` gives for a page of which no lone character is dropped.

    Icons and ¶ are dropped still where they are furniture of the page, in an element that has an
    attribute: `<a href="#top">¶</a>`. In others, such as `<td>¶</td>`, they are text.
    """
    patterns = [] if html.isascii() else [LONE]
    if "&" in html and ENTITY_ENDS.search(html):
        patterns.append(WITH_ENTITY)
    if not any(pattern.search(html) for pattern in patterns):
        return extract(html)
    mark = find_mark(html)
    for pattern in patterns:
        html = pattern.sub(lambda match: _with_mark(match, mark), html)
    return extract(html).replace(mark, "")


def find_mark(html: str) -> str:
    """Return a character that the page holds neither as such nor as a numeric reference.

    Raises:
        ValueError: it holds every control character and a plane of private ones.
    """
    for code in chain(CONTROLS, PRIVATE_PLANE):
        reference = rf"&#(?:0*+{code}|[xX]0*+(?i:{code:x}))(?![0-9a-fA-F])"
        if chr(code) not in html and not re.search(reference, html):
            return chr(code)
    raise ValueError("no character is left that the page does not hold")


def _with_mark(match: re.Match[str], mark: str) -> str:
    """Return the text with the mark behind it if it would be dropped and should not be."""
    node = unescape(match[1])
    text = node.strip(BLANKS)
    is_sign = SIGN.fullmatch(text) is not None
    is_lost = is_sign or (len(text.encode()) == LOST_BYTES and not text[-1].isascii())
    if not is_lost or (is_sign and _has_attributes(match)):
        return match[0]
    before, _, after = node.partition(text)
    return f">{before}{escape(text)}{mark}{after}"


def _has_attributes(match: re.Match[str]) -> bool:
    """Say whether the tag before a text has attributes."""
    tag_start = match.string.rfind("<", 0, match.start())
    return "=" in match.string[tag_start : match.start()]
