"""HTML files, plain or compressed: the main text of a whole file is one record."""

from collections.abc import Iterator

from pipelines.readers.fields import keep
from pipelines.readers.json_values import to_json
from pipelines.readers.pages.encodings import decode_page
from pipelines.readers.pages.extract import extract_text
from pipelines.readers.pages.page_header import describe_page
from pipelines.readers.records import ReadOptions, Record, Reject, Slice
from pipelines.readers.rows import Origin
from pipelines.readers.streams.compression import with_compressions
from pipelines.readers.streams.whole_files import cut_file, read_file

SUFFIXES = with_compressions(".html", ".htm", ".xhtml")


def cut(path: str, name: str, _target_bytes: int) -> list[Slice]:
    """Return the one slice of a file."""
    return cut_file(path, name, "html")


def read(slice_: Slice, options: ReadOptions) -> Iterator[Record | Reject]:
    """Yield the file's main text as one record, nothing for an empty file, or why there is none.

    Metadata has the page's `title` and `language`, where it states them, and the fields of the
    file's folders.
    """
    fields = Origin.of(slice_).fields

    def convert(content: bytes) -> tuple[str, str]:
        html = decode_page(content)
        metadata = keep({**fields, **describe_page(html)}, options.fields)
        return extract_text(html, options.extractor), to_json(metadata)

    return read_file(slice_, convert)
