import bz2
import gzip
import io
import lzma
import os
import zlib
from functools import partial

import fsspec
import pytest
import zstandard

from pipelines.readers.streams.compression import (
    Damage,
    with_compressions,
    without_compression,
)
from pipelines.readers.streams.open_stream import digest, file_size, read_blocks, text_size
from tests.pipelines.readers.packs import PACK

TEXT = b"".join(b"line %d of a text that packs well\n" % number for number in range(3000))
EACH = pytest.mark.parametrize("suffix", PACK)


def zstd_pieces(pieces):
    """Compress so that each piece is a block that can be decoded without the next."""
    compressor = zstandard.ZstdCompressor().compressobj()
    flush = zstandard.COMPRESSOBJ_FLUSH_BLOCK
    packed = [compressor.compress(piece) + compressor.flush(flush) for piece in pieces]
    return packed, compressor.flush()


def gzip_pieces(pieces):
    compressor = zlib.compressobj(wbits=31)
    packed = [compressor.compress(piece) + compressor.flush(zlib.Z_FULL_FLUSH) for piece in pieces]
    return packed, compressor.flush()


def collect(path, start=0):
    blocks = read_blocks(str(path), start)
    held = []
    while True:
        try:
            held.append(next(blocks))
        except StopIteration:
            return b"".join(held), None
        except Damage as damage:
            return b"".join(held), str(damage)


@pytest.mark.parametrize("start", [0, 1, 5000, len(TEXT) - 1, len(TEXT), len(TEXT) + 9])
@pytest.mark.parametrize("suffix", ["", *PACK])
def test_reads_from_any_offset(tmp_path, suffix, start):
    path = tmp_path / f"a.txt{suffix}"
    path.write_bytes(PACK[suffix](TEXT) if suffix else TEXT)
    assert collect(path, start) == (TEXT[start:], None)


def test_members_and_frames_follow_each_other(tmp_path):
    skippable = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"skip"
    unsized = zstandard.ZstdCompressor(write_content_size=False).compress(TEXT)
    for suffix, pack in PACK.items():
        content = pack(TEXT) + pack(b"") + pack(b"end")
        (tmp_path / f"b{suffix}").write_bytes(content + b"\0" * 9000 * (suffix != ".zst"))
        assert collect(tmp_path / f"b{suffix}") == (TEXT + b"end", None)
    for name, content in {
        "a.zst": zstandard.compress(TEXT) + skippable + unsized + zstandard.compress(b"end"),
    }.items():
        (tmp_path / name).write_bytes(content)
    assert collect(tmp_path / "a.zst") == (TEXT + TEXT + b"end", None)


@pytest.mark.parametrize(
    ("suffix", "pack", "size", "most"),
    [
        (".zst", zstandard.compress, 2**28, 2**27),
        (".bz2", partial(bz2.compress, compresslevel=1), 2**25, 2**24),  # blocks of 5 MB
    ],
)
def test_one_step_on_a_bomb_is_bounded(tmp_path, suffix, pack, size, most):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(pack(b"a" * size))
    sizes = [len(block) for block in read_blocks(str(path))]
    assert sum(sizes) == size
    assert max(sizes) <= most + 2**20


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip_pieces), (".zst", zstd_pieces)])
def test_corruption_keeps_everything_before_it(tmp_path, suffix, pack):
    pieces = [TEXT[:20_000], TEXT[20_000:20_100], TEXT[20_100:]]
    packed, tail = pack(pieces)
    # 0xFF starts a block of a reserved type in both formats.
    broken = packed[0] + packed[1] + b"\xff" * 40 + packed[2] + tail
    path = tmp_path / f"a{suffix}"
    path.write_bytes(broken)
    content, damage = collect(path)
    assert content == TEXT[:20_100]
    assert "corrupt" in damage


@EACH
def test_garbage_after_the_last_member_is_damage(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(PACK[suffix](TEXT) + b"garbage, and more of it than a header is long")
    content, damage = collect(path)
    assert content == TEXT
    assert "corrupt" in damage


@EACH
def test_a_file_of_zeros_is_damage(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"\0" * 10_000)
    content, damage = collect(path)
    assert content == b""
    assert "corrupt" in damage


@pytest.mark.parametrize("suffix", [".bz2", ".xz"])
def test_truncation_keeps_what_came_out_before(tmp_path, suffix):
    packed = PACK[suffix](b"first") + PACK[suffix](TEXT)
    path = tmp_path / f"a{suffix}"
    for kept in range(len(PACK[suffix](b"first")) + 1, len(packed), 50):
        path.write_bytes(packed[:kept])
        content, damage = collect(path)
        assert (b"first" + TEXT).startswith(content)
        assert content.startswith(b"first")
        assert "cut short" in damage


def test_suffixes_are_made_of_formats_and_compressions():
    made = with_compressions(".a", ".b")
    assert made == tuple(f".{x}{c}" for x in "ab" for c in ("", ".gz", ".zst", ".bz2", ".xz"))
    assert {without_compression(f"x{suffix}") for suffix in made} == {"x.a", "x.b"}
    assert without_compression("x.A.GZ") == "x.A"


def test_wrong_checksum_is_damage(tmp_path):
    packed = bytearray(gzip.compress(TEXT))
    packed[-8] ^= 1
    path = tmp_path / "a.gz"
    path.write_bytes(packed)
    content, damage = collect(path)
    assert content == TEXT
    assert "corrupt" in damage


@pytest.mark.parametrize("size", [0, 3])
def test_a_gzip_file_too_short_to_state_a_size(monkeypatch, size):
    class Strict(io.BytesIO):
        """Refuses a place before the start, as files of object stores do."""

        def seek(self, offset, whence=0):
            if whence == os.SEEK_END and offset < -size:
                raise ValueError("Seek before start of file")
            return super().seek(offset, whence)

    monkeypatch.setattr(
        "pipelines.readers.streams.open_stream.open_input", lambda _: Strict(b"\0" * size)
    )
    monkeypatch.setattr("pipelines.readers.streams.open_stream.file_size", lambda _: size)
    assert text_size("store://a.gz") == 4 * size


def test_size_is_stated_or_estimated(tmp_path):
    unsized = zstandard.ZstdCompressor(write_content_size=False).compress(TEXT)
    many = gzip.compress(TEXT) + gzip.compress(b"end")  # its last member states 3
    contents = {
        "plain": TEXT,
        "a.gz": gzip.compress(TEXT),
        "b.gz": many,
        "c.gz": b"x",
        "a.zst": zstandard.compress(TEXT),
        "b.zst": unsized,
        "a.xz": lzma.compress(TEXT),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    sizes = {name: text_size(str(tmp_path / name)) for name in contents}
    assert sizes == {
        "plain": len(TEXT),
        "a.gz": len(TEXT),
        "b.gz": 4 * len(many),
        "c.gz": 4,
        "a.zst": len(TEXT),
        "b.zst": 4 * len(unsized),
        "a.xz": 4 * len(lzma.compress(TEXT)),
    }


def test_urls_are_opened_through_fsspec():
    fsspec.filesystem("memory").pipe("/streams/a.gz", gzip.compress(TEXT))
    path = "memory://streams/a.gz"
    assert collect(path) == (TEXT, None)
    assert file_size(path) == len(gzip.compress(TEXT))
    assert text_size(path) == len(TEXT)


def test_digest_is_of_the_stored_bytes(tmp_path):
    (tmp_path / "a").write_bytes(TEXT)
    (tmp_path / "b").write_bytes(TEXT)
    (tmp_path / "c").write_bytes(TEXT[:-1] + b"?")
    size, content = digest(str(tmp_path / "a"))
    assert size == len(TEXT)
    assert digest(str(tmp_path / "b")) == (size, content)
    assert digest(str(tmp_path / "c"))[1] != content
    assert digest(str(tmp_path / "missing")) == (0, "unreadable")
