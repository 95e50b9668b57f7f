"""A reader's record: what it is named by, and what becomes of input that fails."""

import pytest

from pipelines.readers.reader import Reader
from pipelines.readers.records import ReadOptions, Record, Reject, RejectKind, Slice

PIECE = Slice("path", "name", "mine", 3, 9, 6)


def make_reader(scan, **fields):
    return Reader(meaning="m", locator="l", cut=lambda *_: [PIECE], scan=scan, **fields)


def test_an_input_that_fails_on_the_way_is_one_reject():
    def scan(piece, options):
        yield Record("one", "text", "s", "{}")
        raise OSError("gone")

    assert list(make_reader(scan).read(PIECE, ReadOptions())) == [
        Record("one", "text", "s", "{}"),
        Reject("slice 3:9", RejectKind.UNREADABLE, "gone", b""),
    ]


@pytest.mark.parametrize(("structured", "text"), [(True, "Hello."), (False, "<p>Hello.")])
def test_html_is_extracted_from_fields_only(structured, text):
    reader = make_reader(
        lambda *_: iter([Record("one", "<p>Hello.", "s", "{}")]), structured=structured
    )
    [record] = reader.read(PIECE, ReadOptions(html=True))
    assert record.text.strip() == text


def test_a_reader_without_a_scheme_is_named_by_nothing():
    assert not make_reader(None).is_named("")
    assert not make_reader(None).is_named("a:b")
