"""From the bytes of a page to its characters."""

from collections.abc import Iterator
from contextlib import suppress

from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
# What these names stand for on the web (WHATWG Encoding, section 5) is wider than Python's codecs
# of the same names: Japanese and Korean Windows, Hong Kong, Thai punctuation.
WEB_CODECS = {
    "shift_jis": ("cp932",),
    "euc_jp": ("euc_jp", "euc_jis_2004"),
    "euc_kr": ("cp949",),
    "big5": ("big5hkscs", "cp950"),
    "gbk": ("gb18030",),
    "iso8859-11": ("cp874",),
}
ESCAPE = b"\x1b"  # begins the shifts of 7-bit encodings, ISO-2022-JP on the web


def decode_page(data: bytes, charset: str | None = None) -> str:
    """Return the text of encoded HTML or plain text; `charset` is what its transfer stated.

    What is valid UTF-8 is taken for it. Else the stated charset, the page's own (in a meta element)
    and the one that its bytes look like are tried in turn; if none fits throughout, the one that
    leaves the fewest replacement characters is used.
    """
    if not data.startswith(UTF16_MARKS) and ESCAPE not in data:
        with suppress(UnicodeDecodeError):
            return data.decode("utf-8").removeprefix("\ufeff")
    found = _candidates(data, charset)
    names = dict.fromkeys(codec for name in found for codec in WEB_CODECS.get(name, (name,)))
    for name in names:
        with suppress(UnicodeDecodeError):
            return data.decode(name).removeprefix("\ufeff")
    texts = [data.decode(name, "replace") for name in names]
    return min(texts, key=lambda text: text.count("\ufffd")).removeprefix("\ufeff")


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
