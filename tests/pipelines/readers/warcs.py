"""WARC and ARC files for tests: how they are built, and what a reader makes of them."""

import bz2
import gzip
import lzma
import re
from functools import partial
from itertools import pairwise

import zstandard

from pipelines.readers.formats import warc
from pipelines.readers.records import ReadOptions, Record, Reject, Slice

TEXT = re.compile(r"Tea number (\d+)")
TEA = b"Tea number 5"
PAGE = b"<html lang=en><title>A page</title><body><p>%s</p></body></html>"
SENTENCE = b"Tea number %d is brewed slowly, then poured into a warm cup and left to stand. "
PACK = {
    "": b"".join,
    ".gz": lambda records: b"".join(map(partial(gzip.compress, mtime=0), records)),
    ".zst": lambda records: b"".join(map(zstandard.compress, records)),
    ".bz2": lambda records: bz2.compress(b"".join(records)),
    ".xz": lambda records: lzma.compress(b"".join(records)),
}
CUTTABLE = ["", ".gz", ".zst"]


def stored(kind, content, newline=b"\r\n", **fields):
    """Return a WARC record; `fields` are header fields, `_` for `-`."""
    named = {"WARC-Type": kind, "Content-Length": len(content)}
    named |= {name.replace("_", "-"): value for name, value in fields.items()}
    lines = [b"WARC/1.0", *(f"{name}: {value}".encode() for name, value in named.items())]
    return newline.join([*lines, b"", content, b"", b""])


def http(content, *headers, status=b"200 OK"):
    return b"\r\n".join([b"HTTP/1.1 " + status, *headers, b"", content])


def response(content, url="http://example.org/a", **fields):
    return stored("response", content, WARC_Target_URI=url, **fields)


def page(number):
    """Return a WARC response whose text tells its number."""
    content = PAGE % (SENTENCE % number)
    return response(http(content, b"Content-Type: text/html"), f"http://example.org/{number}")


def note(number):
    return stored("request", b"GET /%d HTTP/1.1\r\n\r\n" % number)


def arc_page(number, newline=b"\n"):
    content = newline.join([b"HTTP/1.0 200 OK", b"Content-Type: text/html", b""])
    content += newline + PAGE % (SENTENCE % number)
    line = b"http://example.org/%d 10.0.0.1 20010203040506 text/html %d\n" % (number, len(content))
    return line + content + b"\n"


def slices(path, bounds):
    points = [0, *sorted(set(bounds)), -1]
    return [Slice(str(path), path.name, "warc", *pair, 0) for pair in pairwise(points)]


def read_cut(path, bounds):
    return [item for part in slices(path, bounds) for item in warc.read(part, ReadOptions())]


def scan_bytes(folder, content, suffix=".warc", options=ReadOptions()):
    """Scan bytes as a file of the given suffix."""
    path = folder / f"a{suffix}"
    path.write_bytes(content)
    return list(warc.read(Slice(str(path), path.name, "warc", 0, -1, 0), options))


def numbers(items):
    found = (TEXT.search(item.text) for item in items if isinstance(item, Record))
    return [int(match[1]) for match in found if match]


def rejects(items):
    return [item for item in items if isinstance(item, Reject)]
