"""What a file holds, told by its first bytes: compression, encoding, other formats.

A suffix is believed unless the bytes speak against it: a magic number of another compression, or
plain text where there should be compressed data.
"""

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from pipelines.readers.streams.compression import Damage, compression_of

FIRST = 64  # bytes that tell the compression
SHORTEST = 4  # bytes that tell a text from compressed data that is cut short
PEEKED = 64 * 1024  # bytes of text that are looked at
MAGICS: dict[str, re.Pattern[bytes]] = {
    ".gz": re.compile(rb"\x1f\x8b\x08"),
    ".zst": re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"),
    ".bz2": re.compile(rb"BZh[1-9](?:1AY&SY|\x17\x72\x45\x38\x50\x90)"),
    ".xz": re.compile(rb"\xfd7zXZ\0"),
}
# The name of a format, and what to do about it; of readers, `read.format` names them.
FOREIGN: tuple[tuple[bytes, str, str], ...] = (
    (b"PAR1", "Parquet", 'set read.format = "parquet" or name it .parquet'),
    (b"ARROW1", "Arrow", 'set read.format = "arrow" or name it .arrow'),
    (b"WARC/1.", "WARC", 'set read.format = "warc" or name it .warc'),
    (b"PK\x03\x04", "a ZIP archive", "unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it"),
    (b"\x04\x22\x4d\x18", "LZ4", "unpack it"),
    (b"\xff\x06\x00\x00sNaPpY", "Snappy", "unpack it"),
    (b"\x1f\x9d", "compress (.Z)", "unpack it"),
    (b"%PDF-", "PDF", "take its text with another tool"),
    (b"\x89PNG\r\n", "a PNG image", "leave it out"),
    (b"\xff\xd8\xff", "a JPEG image", "leave it out"),
    (b"SQLite format 3\0", "SQLite", "export its table"),
    (b"\x89HDF\r\n\x1a\n", "HDF5", "export its table"),
    (b"Obj\x01", "Avro", "convert it to Parquet"),
    (b"ORC", "ORC", "convert it to Parquet"),
)
TAR_MAGIC, TAR_PLACE = b"ustar", 257
MARKS = (  # the longer first: UTF-32 begins as UTF-16 does
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Where NULs lie among the first four bytes, if the text begins with two ASCII characters.
NULS: dict[tuple[bool, ...], str] = {
    (False, True, True, True): "utf-32-le",
    (True, True, True, False): "utf-32-be",
    (False, True, False, True): "utf-16-le",
    (True, False, True, False): "utf-16-be",
}
UTF8 = "utf-8"
CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


class Content(NamedTuple):
    """What a file holds: its compression (as a suffix), its encoding, its first text in UTF-8.

    `is_plain` says that the compression is that of the suffix and the encoding UTF-8. `foreign`
    names a format that is neither text nor what was expected, and says what to do.
    """

    compression: str
    encoding: str
    head: bytes
    is_plain: bool
    foreign: str

    @property
    def newline(self) -> bytes:
        """What ends its lines: CR where the head has that and no LF, else LF."""
        return find_newline(self.head)


def find_compression(path: str, first: bytes) -> str:
    """Return the compression of a file with these first bytes, as a suffix; "" for none."""
    found = next((suffix for suffix, magic in MAGICS.items() if magic.match(first)), "")
    is_other = _seems_text(first) or _name_foreign(first)
    return found or ("" if is_other else compression_of(path))


def find_encoding(head: bytes) -> str:
    """Return the encoding of a text, by its mark or, without one, by where its NULs are."""
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return encoding
    return NULS.get(tuple(byte == 0 for byte in head[:4]), UTF8)


def find_newline(head: bytes) -> bytes:
    """Return what ends the lines of a text: CR where its head has that and no LF, else LF.

    A CR at the very end of the head does not tell: LF may follow.
    """
    return b"\r" if b"\r" in head[:-1] and b"\n" not in head else b"\n"


def recode(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Yield text as UTF-8, without a mark. Half characters become bytes that are not UTF-8.

    Raises:
        Damage: the last character is cut short.
    """
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    mark = "\ufeff"
    try:
        for data, last in chain(((block, False) for block in blocks), [(b"", True)]):
            text = decoder.decode(data, last)
            if text:
                yield text.removeprefix(mark).encode("utf-8", "surrogatepass")
                mark = ""
    except UnicodeDecodeError as error:
        raise Damage(f"{encoding} text breaks off ({error.reason})", 0) from None


def describe_content(path: str, first: bytes, head: bytes) -> Content:
    """Return what a file holds, by its first bytes and the head of its decompressed text."""
    compression, encoding = find_compression(path, first), find_encoding(head)
    if encoding != UTF8:
        text = head[: len(head) // 4 * 4].decode(encoding, "ignore")
        head = text.removeprefix("\ufeff").encode("utf-8", "ignore")
    is_plain = compression == compression_of(path) and encoding == UTF8
    return Content(compression, encoding, head, is_plain, _name_foreign(head))


def _name_foreign(head: bytes) -> str:
    for magic, name, remedy in FOREIGN:
        if head.startswith(magic):
            return f"the file is {name}; {remedy}"
    if head[TAR_PLACE:].startswith(TAR_MAGIC):
        return "the file is a tar archive; unpack it"
    return ""


def _seems_text(first: bytes) -> bool:
    """Say whether bytes begin a text rather than compressed data; a few do not tell."""
    if len(first) < SHORTEST:
        return False
    if find_encoding(first) != UTF8:
        return True
    try:
        codecs.getincrementaldecoder(UTF8)().decode(first)
    except UnicodeDecodeError:
        return False
    return not CONTROLS.search(first)
