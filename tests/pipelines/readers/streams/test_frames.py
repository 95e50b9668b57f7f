import gzip
import json
import struct
import zlib
from itertools import pairwise

import fsspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from pipelines.readers.formats import jsonl
from pipelines.readers.records import ReadOptions, Record, Reject, Slice
from pipelines.readers.streams import compression, frames
from pipelines.readers.streams.frames import is_framed, list_frames

SKIPPABLE = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"skip"


def pack_bgzip(piece):
    """One member with its stored size in an extra field, as bgzip writes them."""
    packer = zlib.compressobj(wbits=-15)
    body = packer.compress(piece) + packer.flush()
    size = len(body) + 12 + 6 + 8
    extra = b"BC\x02\x00" + (size - 1).to_bytes(2, "little")
    head = b"\x1f\x8b\x08\x04" + b"\0" * 5 + b"\xff" + len(extra).to_bytes(2, "little")
    return head + extra + body + struct.pack("<II", zlib.crc32(piece), len(piece))


def pack_unsized(piece):
    return zstandard.ZstdCompressor(write_content_size=False).compress(piece)


def pack_checked(piece):
    return SKIPPABLE + zstandard.ZstdCompressor(write_checksum=True).compress(piece)


PACKERS = {
    "zst": (".zst", zstandard.compress),
    "zst-unsized": (".zst", pack_unsized),
    "zst-checked": (".zst", pack_checked),
    "bgzip": (".gz", pack_bgzip),
    "gzip": (".gz", gzip.compress),
}
EACH = pytest.mark.parametrize("kind", PACKERS)
TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), max_size=12)


def encode(texts):
    return "".join(json.dumps({"text": text}) + "\n" for text in texts).encode()


def write(folder, kind, pieces, name="a"):
    suffix, pack = PACKERS[kind]
    path = folder / f"{name}.jsonl{suffix}"
    path.write_bytes(b"".join(pack(piece) for piece in pieces))
    return path


def read(path, target_bytes):
    parts = jsonl.cut(str(path), path.name, target_bytes)
    return [item for part in parts for item in jsonl.read(part, ReadOptions())]


def place_of(item):
    """Return (frame, byte) of a locator."""
    words = ["0", *item.locator.removeprefix("frame").split()]
    return int(words[-3]), int(words[-1])


def split(content, points):
    bounds = [0, *sorted(min(point, len(content)) for point in points), len(content)]
    return [content[start:end] for start, end in pairwise(bounds)]


@EACH
@given(texts=TEXTS, points=st.lists(st.integers(0, 400), max_size=8), target=st.integers(1, 300))
def test_any_frames_and_any_cut_give_every_record_once_in_order(
    scratch, kind, texts, points, target
):
    path = write(scratch, kind, split(encode(texts), points), name="law")
    whole = read(path, 10**9)
    assert [record.text for record in whole] == texts
    assert read(path, target) == whole


@EACH
@given(data=st.data(), points=st.lists(st.integers(1, 300), min_size=2, max_size=8, unique=True))
def test_damage_costs_the_rest_of_its_frame_whatever_the_cut(scratch, kind, data, points):
    texts = [f"text {number * 7919}" for number in range(10)]
    path = write(scratch, kind, split(encode(texts), points), name="damaged")
    content = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=3)):
        content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    whole = read(path, 10**9)
    assert all(isinstance(item, Record | Reject) for item in whole)
    for target in (1, 60, 150):
        assert read(path, target) == whole


@EACH
def test_a_slice_reads_only_its_own_frames(tmp_path, kind, monkeypatch):
    pieces = [encode([f"{number} " + "x" * 200]) for number in range(40)]
    path = write(tmp_path, kind, pieces)
    parts = jsonl.cut(str(path), path.name, 1000)
    assert len(parts) > 4
    decoded = []

    def count(file, codec):
        for chunk in compression.decompress(file, codec):
            decoded.append(len(chunk.data))
            yield chunk

    monkeypatch.setattr(frames, "decompress", count)
    for part in parts:
        assert list(jsonl.read(part, ReadOptions()))
    # Each slice but the last decodes one frame of the next, to see where its last line ends.
    assert sum(decoded) <= sum(map(len, pieces)) + len(parts) * max(map(len, pieces))


@pytest.mark.parametrize("kind", ["zst", "zst-unsized", "zst-checked", "bgzip"])
def test_frames_are_found_without_decoding(tmp_path, kind, monkeypatch):
    path = write(tmp_path, kind, [b"x" * 300_000 if kind != "bgzip" else b"x" * 300] * 5)
    monkeypatch.setattr(frames, "decompress", None)
    monkeypatch.setattr(frames, "_decode_gzip_member", None)
    found = list(list_frames(str(path)))
    assert [left.end for left in found[:-1]] == [right.start for right in found[1:]]
    assert found[-1].end == path.stat().st_size
    if kind != "zst-unsized":
        assert sum(frame.size for frame in found) == 5 * (300 if kind == "bgzip" else 300_000)


@EACH
@pytest.mark.parametrize("headers", [False, True])
def test_a_damaged_frame_in_the_middle_costs_only_itself(tmp_path, kind, headers):
    pieces = [encode([f"{number} {'abc' * number}"]) for number in range(6)]
    suffix, pack = PACKERS[kind]
    packed = [pack(piece) for piece in pieces]
    good = packed[3]
    at, size = (-15, 4) if headers else (-8, 2)  # a checksum, or the last text
    bad = good[:at] + b"\xff" * size + good[at + size :]
    path = tmp_path / f"a.jsonl{suffix}"
    path.write_bytes(b"".join([*packed[:3], bad, *packed[4:]]))
    whole = read(path, 10**9)
    assert read(path, 1) == whole
    texts = [item.text.split()[0] for item in whole if isinstance(item, Record)]
    assert [text for text in texts if text != "3"] == ["0", "1", "2", "4", "5"]
    frames_hit = {place_of(item)[0] for item in whole if isinstance(item, Reject)}
    first = sum(map(len, packed[:3]))
    assert frames_hit
    assert all(first <= frame < first + len(bad) for frame in frames_hit)


def test_locators_of_a_framed_file_lead_to_the_line(tmp_path):
    first, second = encode(["a", "b"]), encode(["c", "d"])
    path = write(tmp_path, "zst", [first, second])
    for target in (1, 10**9):
        records = read(path, target)
        places = [place_of(record) for record in records]
        for (frame, byte), record in zip(places, records, strict=True):
            file = zstandard.ZstdDecompressor().stream_reader(path.read_bytes()[frame:])
            assert json.loads(file.read()[byte:].split(b"\n")[0])["text"] == record.text
    assert [frame for frame, _ in places] == [0, 0] + [len(zstandard.compress(first))] * 2


@EACH
def test_one_frame_or_a_long_first_one_is_read_as_a_whole(tmp_path, kind, monkeypatch):
    content = encode(["text"] * 20)
    assert not is_framed(str(write(tmp_path, kind, [content], "one"))) or kind == "zst-checked"
    path = write(tmp_path, kind, [content] * 2, "two")
    assert is_framed(str(path))
    suffix = path.suffix
    short = {suffix: frames.FORMATS[suffix]._replace(reach=3)}
    monkeypatch.setattr(frames, "FORMATS", frames.FORMATS | short)
    if kind in ("zst", "zst-unsized"):
        assert not is_framed(str(path))
        assert [record.locator for record in read(path, 200)][:1] == ["byte 0"]
        assert read(path, 200) == read(path, 10**9)


def test_a_slice_of_a_file_that_is_gone_is_left_to_reading(tmp_path):
    path = str(tmp_path / "gone.jsonl.zst")
    [part] = jsonl.cut(path, "gone", -1)
    assert part == Slice(path, "gone", "jsonl", 0, -1, 0)
    with pytest.raises(FileNotFoundError):
        list(jsonl.read(part, ReadOptions()))


@EACH
def test_what_follows_a_frame_does_not_change_its_locators(tmp_path, kind):
    first = encode(["a", "b"])
    alone = read(write(tmp_path, kind, [first]), 10**9)
    assert read(write(tmp_path, kind, [first, encode(["c"])]), 10**9)[:2] == alone


@EACH
def test_urls_are_cut_as_well(tmp_path, kind):
    pieces = [encode([f"{number} {'abc' * number}"]) for number in range(9)]
    content = write(tmp_path, kind, pieces).read_bytes()
    path = f"memory://frames/a.jsonl{PACKERS[kind][0]}"
    fsspec.filesystem("memory").pipe(path.removeprefix("memory:/"), content)
    parts = jsonl.cut(path, "a", 60)
    assert len(parts) > 2
    records = [item for part in parts for item in jsonl.read(part, ReadOptions())]
    assert records == read(tmp_path / f"a.jsonl{PACKERS[kind][0]}", 10**9)


def test_a_frame_that_states_an_impossible_size_is_planned(tmp_path):
    """The size is eight bytes of the header; a slice's size has to fit a signed integer of 64."""
    frame = bytearray(zstandard.compress(b"x" * 70_000))
    head = b"\x28\xb5\x2f\xfd\xe0" + b"\xfe" * 8
    old = zstandard.frame_header_size(bytes(frame))
    path = tmp_path / "a.jsonl.zst"
    path.write_bytes((head + frame[old:]) * 3)
    parts = jsonl.cut(str(path), "a", 100)
    assert max(part.size for part in parts) < 2**40
