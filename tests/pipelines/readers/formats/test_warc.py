import gzip
import struct
from functools import partial
from itertools import accumulate, pairwise

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.readers.formats import warc
from pipelines.readers.records import ReadOptions, Reject, Skipped
from pipelines.readers.streams import archives
from tests.pipelines.readers.warcs import (
    CUTTABLE,
    PACK,
    arc_page,
    http,
    note,
    numbers,
    page,
    read_cut,
    rejects,
    response,
    scan_bytes,
)


@pytest.fixture
def scan(tmp_path):
    return partial(scan_bytes, tmp_path)


BOUNDS = st.lists(st.integers(1, 1500), max_size=5)


@pytest.mark.parametrize("kind", ["warc", "arc"])
@pytest.mark.parametrize("suffix", CUTTABLE)
@settings(deadline=None, max_examples=40)
@given(count=st.integers(0, 8), bounds=BOUNDS)
def test_any_cut_gives_every_record_once_in_order(scratch, suffix, kind, count, bounds):
    make = page if kind == "warc" else arc_page
    path = scratch / f"law.{kind}{suffix}"
    path.write_bytes(PACK[suffix]([make(number) for number in range(count)]))
    whole = read_cut(path, [])
    assert numbers(whole) == list(range(count))
    assert len(whole) == count
    assert read_cut(path, bounds) == whole


@st.composite
def damaged(draw, pack):
    """Return (bytes of a file, numbers of the records that damage did not touch)."""
    records = [page(number) if draw(st.booleans()) else note(number) for number in range(6)]
    pieces = [pack([record]) for record in records]
    hit = draw(st.sets(st.integers(0, 5), max_size=3))
    for index in hit:
        at = draw(st.integers(0, len(pieces[index])))
        size = draw(st.integers(0, 40))
        filler = draw(st.binary(max_size=30))
        pieces[index] = pieces[index][:at] + filler + pieces[index][at + size :]
    good = [number for number in range(6) if number not in hit and b"response" in records[number]]
    return b"".join(pieces), good


@pytest.mark.parametrize("suffix", CUTTABLE)
@settings(deadline=None, max_examples=150)
@given(data=st.data(), bounds=BOUNDS)
def test_damage_costs_only_what_it_hits_whatever_the_cut(scratch, suffix, data, bounds):
    content, good = data.draw(damaged(PACK[suffix]))
    path = scratch / f"damaged.warc{suffix}"
    path.write_bytes(content)
    whole = read_cut(path, [])
    assert set(good) <= set(numbers(whole))
    assert read_cut(path, bounds) == whole


@pytest.mark.parametrize("suffix", [".warc", ".warc.gz", ".warc.zst", ".arc", ".arc.gz", ".wet.xz"])
@settings(deadline=None, max_examples=60)
@given(content=st.binary(max_size=400), bounds=BOUNDS)
def test_no_bytes_are_lost_and_none_raise(scratch, suffix, content, bounds):
    path = scratch / f"any{suffix}"
    path.write_bytes(content)
    items = read_cut(path, bounds)
    assert rejects(items) == items
    if content.strip(b"\r\n"):  # blank lines are nothing, or no compressed data
        assert items
    elif not content or "." not in suffix[1:]:
        assert not items


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst", ".bz2", ".xz"])
def test_every_compression_is_read_and_cut_slices_cover_the_file(tmp_path, suffix):
    path = tmp_path / f"a.warc{suffix}"
    path.write_bytes(PACK[suffix]([page(number) for number in range(30)]))
    parts = warc.cut(str(path), path.name, 1000)
    items = [item for part in parts for item in warc.read(part, ReadOptions())]
    assert numbers(items) == list(range(30))
    assert parts[0].start == 0
    assert parts[-1].end == -1
    assert all(left.end == right.start for left, right in pairwise(parts))
    assert (len(parts) > 1) == (suffix in CUTTABLE)


def test_an_empty_or_missing_file(tmp_path):
    path = tmp_path / "a.warc.gz"
    path.write_bytes(b"")
    [part] = warc.cut(str(path), "a.warc.gz", 1000)
    assert list(warc.read(part, ReadOptions())) == []
    [part] = warc.cut(str(tmp_path / "gone.warc"), "gone.warc", 1000)
    with pytest.raises(OSError, match="No such file"):
        list(warc.read(part, ReadOptions()))


def test_suffixes_leave_out_what_holds_no_text():
    assert {".warc", ".warc.gz", ".wet.gz", ".arc.zst"} <= set(warc.SUFFIXES)
    assert not "a.warc.wat.gz".endswith(warc.SUFFIXES)


@pytest.mark.parametrize(
    "stray", [b"junk", b"WARC/1.0\r\nno header", b"\0" * 5, b"WARC/1.0\r\n\r\n"]
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_foreign_bytes_are_one_reject(scan, stray, place):
    pages = [page(0), page(1)]
    pages.insert(place, stray + b"\r\n\r\n")
    items = scan(b"".join(pages))
    assert numbers(items) == [0, 1]
    [reject] = rejects(items)
    offset = sum(map(len, pages[:place]))
    assert reject[:3] == (f"byte {offset}", "bad_warc", "no record begins here")
    assert reject.payload.startswith(stray)


@pytest.mark.parametrize("change", [-20, -1, 20, 300, 10**6, 10**15])
def test_a_wrong_length_costs_one_record(scan, change):
    true = len(page(1).split(b"\r\n\r\n", 1)[1]) - 4
    wrong = page(1).replace(b"Content-Length: %d" % true, b"Content-Length: %d" % (true + change))
    assert wrong != page(1)
    items = scan(page(0) + wrong + page(2) + page(3))
    assert numbers(items) == [0, 2, 3]
    [reject] = rejects(items)
    assert reject.locator == f"byte {len(page(0))}"
    assert reject.error == ("too_long" if change == 10**15 else "bad_warc")
    assert reject.payload == wrong


@pytest.mark.parametrize("suffix", CUTTABLE)
def test_truncation_at_any_byte_keeps_what_is_before(tmp_path, suffix):
    pieces = [PACK[suffix]([page(number)]) for number in range(3)]
    ends = list(accumulate(map(len, pieces)))
    path = tmp_path / f"a.warc{suffix}"
    whole = b"".join(pieces)
    for kept in range(1, len(whole), 7):
        path.write_bytes(whole[:kept])
        items = read_cut(path, [])
        # Line ends after a plain record may be missing: its own length tells that it is whole.
        complete = [end - (4 if suffix == "" else 0) <= kept for end in ends]
        assert numbers(items) == list(range(sum(complete)))
        between = [kept in range(end - 4, end + 1) for end in ends]
        assert len(rejects(items)) == (not any(between) if suffix == "" else kept not in ends)


def test_a_damaged_member_gives_its_reason_and_what_came_out(scan):
    members = [gzip.compress(page(number)) for number in range(3)]
    broken = bytearray(members[1])
    broken[-8] ^= 1  # the checksum
    items = scan(members[0] + bytes(broken) + members[2], ".warc.gz")
    assert numbers(items) == [0, 2]
    [reject] = rejects(items)
    assert reject[:2] == (f"byte {len(members[0])}", "truncated")
    assert "corrupt" in reject.message
    assert reject.payload == page(1)


def test_a_frame_that_runs_into_the_next_costs_itself(scan):
    # Too short to compress, a frame keeps its text: without a letter of it, and without a checksum,
    # its end is looked for in the next.
    frames = [zstandard.compress(note(0)), *(zstandard.compress(page(n)) for n in range(2))]
    items = scan(frames[0].replace(b"GET", b"GT") + frames[1] + frames[2], ".warc.zst")
    assert numbers(items) == [0, 1]
    assert len(rejects(items)) == 2


def test_many_records_in_one_member(scan):
    pages = [page(number) for number in range(3)]
    items = scan(gzip.compress(b"".join(pages)), ".warc.gz")
    assert numbers(items) == [0, 1, 2]
    places = [0, len(pages[0]), len(pages[0]) + len(pages[1])]
    assert [item.locator for item in items] == ["byte 0", *(f"byte 0+{at}" for at in places[1:])]


def test_a_member_that_is_no_archive_is_a_reject(scan):
    first = gzip.compress(page(0))
    items = scan(first + gzip.compress(b"notes") + gzip.compress(page(1)), ".warc.gz")
    assert numbers(items) == [0, 1]
    assert rejects(items) == [
        Reject(f"byte {len(first)}", "bad_warc", "no record begins here", b"notes")
    ]


@pytest.mark.parametrize("packed", [False, True])
def test_zstandard_dictionary_of_the_file(scan, packed):
    pages = [page(number) for number in range(40)]
    content = b"".join(pages[:4])
    dictionary = zstandard.ZstdCompressionDict(content, zstandard.DICT_TYPE_RAWCONTENT)
    compress = zstandard.ZstdCompressor(dict_data=dictionary).compress
    held = zstandard.compress(content) if packed else content
    head = struct.pack("<II", 0x184D2A5D, len(held)) + held
    items = scan(head + b"".join(map(compress, pages)), ".warc.zst")
    assert numbers(items) == list(range(40))
    assert rejects(items) == []


def test_a_record_over_the_limit_is_a_reject_unless_it_holds_no_page(scan, monkeypatch):
    limited = partial(archives.split_records, limit=600)
    monkeypatch.setattr(warc, "split_records", limited)
    long = response(http(b"x" * 900, b"Content-Type: text/plain"))
    video = response(http(b"x" * 900, b"Content-Type: video/mp4"))
    items = scan(page(0) + long + video + page(1))
    assert numbers(items) == [0, 1]
    assert Skipped("video/mp4") in items
    [reject] = rejects(items)
    assert reject[:2] == (f"byte {len(page(0))}", "too_long")
    assert reject.payload == long


def test_what_holds_no_page_is_told_apart_by_kind(scan):
    items = scan(note(1) + page(0) + note(2) + response(http(b"", status=b"404 Not Found")))
    assert numbers(items) == [0]
    kinds = [item.kind for item in items if isinstance(item, Skipped)]
    assert kinds == ["request", "request", "status 404"]
