"""WARC, WET and ARC files: one record a captured page, cut between stored records.

What becomes of a stored record:

- a page (see `captures`) is a record: its main text if it is HTML, else its text. A page without
  main text is a record with empty text;
- what is intact but not a page is not a record of the corpus: the crawler's own notes (`warcinfo`,
  `request`, `metadata`, `revisit`, and so all of a WAT file, whose suffix is not taken), redirects
  and errors (any status but 2xx), images and other media. It is a regular part of every crawl, so
  it does not go to quarantine; it is `Skipped`, and the accounts say how many there were;
- what is broken is a reject: `bad_warc` (foreign bytes, a length that does not hold), `truncated`,
  `too_long`, `segmented`, `bad_http`, and what `extract` refuses. Reading goes on with the next
  record that can be found. Digests are not checked; gzip and Zstandard have checksums of their own.

Plain files and those compressed a record at a time with gzip or Zstandard are cut at stored bytes.
A bzip2 or xz file is one slice. Locators are `byte N` of the stored file, where the record (or its
member) begins, as in CDX indexes; `byte N+M` for a record M decompressed bytes into a member.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import PurePosixPath
from sys import maxsize
from typing import NamedTuple

from pipelines.readers.fields import keep
from pipelines.readers.json_values import to_json
from pipelines.readers.pages.encodings import decode_page
from pipelines.readers.pages.extract import extract_text
from pipelines.readers.pages.page_header import describe_page
from pipelines.readers.records import (
    PAYLOAD_LIMIT,
    Item,
    ReadOptions,
    Record,
    Reject,
    RejectKind,
    Skipped,
    Slice,
)
from pipelines.readers.rows import BadRecord, Origin
from pipelines.readers.streams import open_stream
from pipelines.readers.streams.archives import (
    ARC,
    HEADER_LIMIT,
    STRAY,
    WARC,
    Layout,
    Span,
    begins_record,
    split_records,
)
from pipelines.readers.streams.captures import Capture, read_arc, read_warc
from pipelines.readers.streams.compression import (
    Damage,
    compression_of,
    is_compressed,
    with_compressions,
    without_compression,
)
from pipelines.readers.streams.members import can_cut, read_members
from pipelines.readers.streams.whole_files import is_whole

SUFFIXES = with_compressions(".warc", ".wet", ".arc")


class Format(NamedTuple):
    """How records of a format are told apart and read."""

    layout: Layout
    read: Callable[[bytes], Capture | Skipped]


class Located(NamedTuple):
    """A span of a file and its locator."""

    locator: str
    span: Span


def cut(path: str, name: str, target_bytes: int) -> list[Slice]:
    """Cut a file into ranges of stored bytes of about `target_bytes` of pages; the last is open."""
    stored, size = open_stream.file_size(path), open_stream.text_size(path)
    whole = is_compressed(path) and not can_cut(path)
    count = 1 if whole else max(1, min(stored, round(size / target_bytes)))
    if count > 1 and _is_misnamed(path, _find_format(name).layout):
        count = 1
    bounds = [number * stored // count for number in range(count)]
    return [
        Slice(path, name, "warc", start, end, -(-size // count))
        for start, end in pairwise([*bounds, -1])
    ]


def read(slice_: Slice, options: ReadOptions) -> Iterator[Item]:
    """Yield what became of every stored record of a slice, in order.

    Metadata has `url`, `host`, `date`, `record_id`, `media_type`, `status`, `title`, `language`
    and `truncated` (why the crawler stopped), where they are known.
    """
    format_ = _find_format(slice_.name)
    origin = Origin.of(slice_)
    for locator, span in _locate(slice_, format_.layout):
        try:
            yield _read_span(span, locator, format_, options, origin)
        except BadRecord as error:
            yield Reject(locator, error.error, str(error), span.data[:PAYLOAD_LIMIT])


def _read_span(
    span: Span, locator: str, format_: Format, options: ReadOptions, origin: Origin
) -> Record | Skipped:
    """Return the record of a span, or that it is not a page.

    Raises:
        BadRecord: the span is not a record, or its page cannot be read.
    """
    if span.error and not _is_long_other(span, format_):
        raise BadRecord(RejectKind.BAD_WARC if span.error == STRAY else span.error, span.message)
    capture = format_.read(span.data)
    if isinstance(capture, Skipped):
        return capture
    text = decode_page(capture.content, capture.charset)
    metadata = {**origin.fields, **capture.metadata}
    if capture.is_html:
        html, text = text, extract_text(text, options.extractor)
        metadata = {**describe_page(html), **metadata}
    return Record(locator, text, origin.source, to_json(keep(metadata, options.fields)))


def _is_long_other(span: Span, format_: Format) -> bool:
    """Whether a record that is too long to read would have been skipped anyway."""
    try:
        return span.error == RejectKind.TOO_LONG and isinstance(format_.read(span.data), Skipped)
    except BadRecord:
        return False


def _locate(slice_: Slice, layout: Layout) -> Iterator[Located]:
    """Yield the spans of a slice: those of its records, and what follows and is not a record."""
    path = slice_.path
    can_search = can_cut(path) or not is_compressed(path)
    if not can_search or (is_whole(slice_) and _is_misnamed(path, layout)):
        for span in split_records(_with_damage(path), layout):
            yield Located(f"byte {span.offset}", span)
    elif not is_compressed(path):
        start, last = max(slice_.start - 1, 0), slice_.end if slice_.end >= 0 else maxsize
        blocks = open_stream.read_stored(path, start)
        for span in split_records(blocks, layout, start, aligned=slice_.start == 0):
            if span.offset >= last and span.error != STRAY:
                return
            yield Located(f"byte {span.offset}", span)
    else:
        begins = partial(_begins, layout)
        for member in read_members(path, slice_.start, slice_.end, begins):
            for span in split_records(member.blocks, layout):
                within = f"+{span.offset}" if span.offset else ""
                yield Located(f"byte {member.offset}{within}", span)


def _with_damage(path: str) -> Iterator[bytes | Damage]:
    try:
        yield from open_stream.read_blocks(path)
    except Damage as damage:
        yield damage


def _begins(layout: Layout, head: bytes) -> bool:
    return begins_record(head[:HEADER_LIMIT], layout)


def _is_misnamed(path: str, layout: Layout) -> bool:
    """Say whether a file is compressed otherwise than its suffix says; junk is not believed."""
    content = open_stream.peek(path)
    known = content.compression or begins_record(content.head, layout)
    return bool(known) and content.compression != compression_of(path)


def _find_format(name: str) -> Format:
    is_arc = PurePosixPath(without_compression(name.lower())).suffix == ".arc"
    return ARC_FORMAT if is_arc else WARC_FORMAT


WARC_FORMAT = Format(WARC, read_warc)
ARC_FORMAT = Format(ARC, read_arc)
