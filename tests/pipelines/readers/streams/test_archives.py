from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.readers.streams import archives
from pipelines.readers.streams.archives import ARC, WARC, split_records
from pipelines.readers.streams.compression import Damage


def warc(content):
    header = b"WARC/1.1\r\nWARC-Type: response\r\nContent-Length: %d\r\n\r\n" % len(content)
    return header + content


def arc(content):
    return b"http://e.org/ 1.2.3.4 20010203040506 text/html %d\n%s" % (len(content), content)


STREAMS = {"warc": (WARC, warc, b"\r\n\r\n"), "arc": (ARC, arc, b"\n")}
CONTENTS = st.lists(st.binary(max_size=40), max_size=5)
NESTED = st.lists(st.sampled_from([warc(b"inner") + b"\r\n\r\n", arc(b"inner"), b"\n"]), max_size=4)
JUNK = (st.binary(max_size=60) | st.integers(0, 600).map(lambda size: b"junk" * size)).map(
    lambda junk: junk.replace(b"WARC/", b"").replace(b"://", b"")
)


@pytest.fixture(scope="module", autouse=True)
def small_window():
    """A window so small that searches move over its end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archives, "HEADER_LIMIT", 120)
        yield


def blocks(data, size):
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("name", STREAMS)
@settings(deadline=None)
@given(contents=CONTENTS | NESTED, size=st.integers(1, 300), empty_lines=st.integers(0, 3))
def test_whole_records_are_split_wherever_blocks_end(name, contents, size, empty_lines):
    layout, make, terminator = STREAMS[name]
    records = [make(content) for content in contents]
    data = b"".join(record + terminator * (1 + empty_lines) for record in records)
    spans = list(split_records(blocks(data, size), layout))
    assert [span.data for span in spans] == records
    assert all(data[span.offset :].startswith(span.data) for span in spans)
    assert not any(span.error for span in spans)


@pytest.mark.parametrize("name", STREAMS)
@settings(deadline=None, max_examples=200)
@given(data=st.data(), contents=CONTENTS, size=st.integers(1, 300))
def test_every_byte_is_in_one_span(name, data, contents, size):
    layout, make, terminator = STREAMS[name]
    whole = b"".join(make(content) + terminator for content in contents)
    at = data.draw(st.integers(0, len(whole)))
    whole = whole[:at] + data.draw(JUNK) + whole[at + data.draw(st.integers(0, 60)) :]
    spans = list(split_records(blocks(whole, size), layout))
    ends = [0, *(span.offset + span.size for span in spans)]
    starts = [*(span.offset for span in spans), len(whole)]
    for end, start in zip(ends, starts, strict=True):
        assert end <= start
        assert whole[end:start].strip(b"\r\n") == b""
    for span in spans:
        assert whole[span.offset :].startswith(span.data)


@pytest.mark.parametrize("name", STREAMS)
@settings(deadline=None)
@given(junk=JUNK, size=st.integers(1, 300))
def test_records_around_foreign_bytes_survive(name, junk, size):
    layout, make, terminator = STREAMS[name]
    first, last = make(b"first"), make(b"last")
    data = first + terminator + junk + b"\n" + last + terminator
    spans = list(split_records(blocks(data, size), layout))
    assert [span.data for span in spans if not span.error] == [first, last]
    assert [span.error for span in spans if span.error] == ["stray"] * bool(junk.strip(b"\r\n"))


def test_an_arc_record_begins_on_a_line_of_its_own():
    data = b"\n".join([arc(b"1") + arc(b"2"), arc(b"3"), b""])
    assert [span.error for span in split_records([data], ARC)] == ["bad_warc", ""]
    inner = data.index(arc(b"2"))
    [span] = split_records([data[inner - 1 :]], ARC, inner - 1, aligned=False)
    assert span.data == arc(b"3")


@settings(deadline=None)
@given(start=st.integers(1, 500), size=st.integers(1, 300))
def test_a_stream_that_begins_inside_skips_to_the_next_record(start, size):
    records = [warc(b"content %d" % number) + b"\r\n\r\n" for number in range(6)]
    data = b"".join(records)
    places = [data.find(record) for record in records]
    spans = split_records(blocks(data[start - 1 :], size), WARC, start - 1, aligned=False)
    assert [span.offset for span in spans] == [place for place in places if place >= start]


@pytest.mark.parametrize("name", STREAMS)
def test_the_last_record_before_damage_is_not_trusted(name):
    layout, make, terminator = STREAMS[name]
    data = [make(b"one") + terminator + make(b"two") + terminator, Damage("it broke", 0)]
    whole, broken = split_records(data, layout)
    assert (whole.data, whole.error) == (make(b"one"), "")
    assert (broken.data.strip(), broken.error) == (make(b"two"), "truncated")
    assert "it broke" in broken.message


@pytest.mark.parametrize("left", [b"", b"WARC/1.0\r\nWARC-Ty", b"junk"])
def test_damage_is_reported_once(left):
    spans = list(split_records([left, Damage("it broke", 0)], WARC))
    assert [(span.data, span.error) for span in spans] == [(left, "truncated")]


def test_a_record_too_long_is_passed_over():
    data = b"\r\n\r\n".join([warc(b"a"), warc(b"b" * 900), warc(b"c"), b""])
    spans = list(split_records(blocks(data, 50), WARC, limit=500))
    assert [span.error for span in spans] == ["", "too_long", ""]
    assert spans[1].size == len(warc(b"b" * 900)) + 4
    assert all(left.offset + left.size <= right.offset for left, right in pairwise(spans))
