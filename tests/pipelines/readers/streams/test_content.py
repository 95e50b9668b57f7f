"""What a file holds is told by its first bytes, whatever its suffix."""

import bz2
import codecs
import gzip
import json
import lzma
from collections.abc import Callable

import pytest
import zstandard

from pipelines.readers.records import Record
from pipelines.readers.streams.compression import Damage
from pipelines.readers.streams.content import find_compression, find_encoding, recode
from pipelines.readers.streams.open_stream import peek

PACKS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": zstandard.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}
ROWS = [{"text": f"text {number * 7919}", "n": "ü"} for number in range(200)]
FILES = {
    ".jsonl": "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS),
    ".json": json.dumps(ROWS, indent=1, ensure_ascii=False),
    ".csv": "text,n\n" + "".join(f"{row['text']},{row['n']}\n" for row in ROWS),
    ".tsv": "text\tn\r\n" + "".join(f"{row['text']}\t{row['n']}\r\n" for row in ROWS),
}
MARKS = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}


def check(items):
    assert [item.text for item in items] == [row["text"] for row in ROWS]
    assert {item.metadata for item in items} == {'{"n":"ü"}'}


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv"])
@pytest.mark.parametrize("stated", PACKS)
@pytest.mark.parametrize("packed", PACKS)
def test_compression_is_told_by_the_first_bytes(tmp_path, read_all, suffix, stated, packed):
    path = tmp_path / f"a{suffix}{stated}"
    path.write_bytes(PACKS[packed](FILES[suffix].encode()))
    for target in (1000, 10**9):
        check(read_all(path, target))


@pytest.mark.parametrize("suffix", FILES)
@pytest.mark.parametrize("encoding", MARKS)
@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("packed", ["", ".gz"])
def test_encoding_is_told_by_the_first_bytes(tmp_path, read_all, suffix, encoding, marked, packed):
    path = tmp_path / f"a{suffix}{packed}"
    content = (MARKS[encoding] if marked else b"") + FILES[suffix].encode(encoding)
    path.write_bytes(PACKS[packed](content))
    for target in (1000, 10**9):
        check(read_all(path, target))


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".csv.zst"])
def test_encoding_within_frames(tmp_path, read_all, suffix):
    path = tmp_path / f"a{suffix}"
    pack = PACKS[path.suffix]
    content = codecs.BOM_UTF16_LE + FILES[path.suffixes[0]].encode("utf-16-le")
    path.write_bytes(b"".join(pack(content[at : at + 1001]) for at in range(0, len(content), 1001)))
    for target in (1000, 10**9):
        check(read_all(path, target))


@pytest.mark.parametrize("encoding", MARKS)
def test_text_files_too(tmp_path, read_all, encoding):
    path = tmp_path / "a.txt"
    path.write_bytes(MARKS[encoding] + "Grün\r\nund blau".encode(encoding))
    assert [record.text for record in read_all(path)] == ["Grün\r\nund blau"]


@pytest.mark.parametrize("suffix", [".gz", ".zst", ".bz2", ".xz"])
def test_a_web_archive_of_another_compression(tmp_path, read_all, suffix):
    from tests.pipelines.readers.warcs import page

    content = b"".join(page(number) for number in range(5))
    whole = []
    for stated in ("", ".gz", ".zst", ".bz2"):
        path = tmp_path / f"a.warc{stated}"
        path.write_bytes(PACKS[suffix](content))
        items = read_all(path, 500)
        assert all(isinstance(item, Record) for item in items)
        whole.append([item.text for item in items])
    assert len(whole[0]) == 5
    assert all(texts == whole[0] for texts in whole)


@pytest.mark.parametrize("encoding", [name for name in MARKS if name != "utf-8"])
def test_half_a_character_costs_its_line(tmp_path, read_all, encoding):
    path = tmp_path / "a.jsonl"
    text = '{"text": "one"}\n{"text": "bad \ud800"}\n{"text": "two", "n": "\udc00"}\n'
    path.write_bytes(MARKS[encoding] + text.encode(encoding, "surrogatepass"))
    one, bad, two = read_all(path)
    assert (one.text, bad.error, two.text) == ("one", "bad_utf8", "two")
    assert (two.metadata, two.left_out) == ('{"n":null}', ("bad_utf8",))
    path.write_bytes(path.read_bytes()[:-1])
    assert read_all(path)[-1].error == "truncated"


@pytest.mark.parametrize(
    ("first", "name"),
    [
        (b"PAR1....", "Parquet"),
        (b"ARROW1\0\0", "Arrow"),
        (b"PK\x03\x04....", "ZIP"),
        (b"%PDF-1.7 ", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\0" * 257 + b"ustar", "tar"),
        (b"WARC/1.0\r\nWARC-Type: x", "WARC"),
    ],
)
@pytest.mark.parametrize("suffix", [".jsonl", ".json.gz", ".csv", ".tsv.zst"])
def test_another_format_is_one_reject_that_says_what_to_do(tmp_path, read_all, first, name, suffix):
    for pack in (bytes, gzip.compress):
        path = tmp_path / f"a{suffix}"
        path.write_bytes(pack(first + b"\xff\0\n" * 5000))
        if pack is bytes and name == "tar" and "." in suffix[1:]:
            continue  # too far behind for what should be compressed
        for target in (100, 10**9):
            [reject] = read_all(path, target)
            assert (reject.locator, reject.error) == ("file", "wrong_format")
            assert name in reject.message
            assert "; " in reject.message


def test_what_cannot_be_told_is_what_the_suffix_says():
    assert find_compression("a.jsonl.gz", b"") == ".gz"
    assert find_compression("a.jsonl.gz", b"(") == ".gz"
    assert find_compression("a.jsonl.gz", b"\0" * 64) == ".gz"
    assert find_compression("a.jsonl.gz", b'{"a": 1}') == ""
    assert find_compression("a.jsonl", b"BZh91AY") == ""
    assert find_encoding(b"") == find_encoding(b"\0\0\0\0") == find_encoding(b"abc") == "utf-8"


def test_recoding_does_not_depend_on_blocks():
    text = "a\U0001f600ü" * 5
    data = codecs.BOM_UTF16_LE + text.encode("utf-16-le")
    for size in (1, 3, 1000):
        blocks = (data[at : at + size] for at in range(0, len(data), size))
        assert b"".join(recode(blocks, "utf-16-le")).decode() == text
    with pytest.raises(Damage, match="breaks off"):
        list(recode([data[:-1]], "utf-16-le"))


def test_of_what_cannot_be_opened_nothing_is_told(tmp_path):
    content = peek(str(tmp_path / "gone.jsonl"))
    assert (content.head, content.foreign, content.is_plain) == (b"", "", True)
