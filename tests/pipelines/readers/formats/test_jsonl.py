import gzip
import json
import zlib
from itertools import pairwise

import orjson
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.readers.formats.jsonl import cut, read
from pipelines.readers.records import PAYLOAD_LIMIT, ReadOptions, Record, Reject, Slice
from pipelines.readers.registry import READERS
from pipelines.readers.streams import open_stream
from pipelines.readers.streams.lines import COMPRESSED_SLICES, read_lines
from tests.pipelines.readers.packs import PACK_OR_NOT

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
LINES = st.lists(TEXTS | st.none(), max_size=12)  # None stands for a blank line
BOUNDS = st.lists(st.integers(1, 400), max_size=6)


def encode(texts):
    rows = ["" if text is None else json.dumps({"text": text, "n": 1}) for text in texts]
    return "".join(f"{row}\n" for row in rows).encode()


def slices(path, bounds):
    points = [0, *sorted(set(bounds)), -1]
    return [Slice(str(path), "a.jsonl", "jsonl", *pair, 0) for pair in pairwise(points)]


def read_cut(path, bounds):
    return [item for part in slices(path, bounds) for item in read(part, ReadOptions())]


@pytest.mark.parametrize("suffix", PACK_OR_NOT)
@settings(deadline=None)
@given(texts=LINES, bounds=BOUNDS, newline=st.booleans())
def test_any_cut_gives_every_record_once_in_order(scratch, suffix, texts, bounds, newline):
    content = encode(texts)
    content = content if newline else content.removesuffix(b"\n")
    path = scratch / f"law.jsonl{suffix}"
    path.write_bytes(PACK_OR_NOT[suffix](content))
    whole = read_cut(path, [])
    assert [record.text for record in whole] == [text for text in texts if text is not None]
    assert read_cut(path, bounds) == whole


@settings(deadline=None)
@given(texts=LINES, target=st.integers(1, 300))
def test_cut_covers_a_file(scratch, texts, target):
    path = scratch / "cover.jsonl"
    path.write_bytes(encode(texts))
    parts = cut(str(path), "a.jsonl", target)
    assert parts[0].start == 0
    assert parts[-1].end == -1
    assert all(left.end == right.start for left, right in pairwise(parts))
    assert sum(part.size for part in parts) >= len(encode(texts))


def decoded(suffix, packed):
    """Return what the start of a compressed file stands for, by another way than the reader's."""
    if suffix == ".gz":
        return zlib.decompressobj(wbits=31).decompress(packed)
    return zstandard.ZstdDecompressor().stream_reader(packed).read()


def zstd_in_blocks(content):
    compressor = zstandard.ZstdCompressor().compressobj()
    flush = zstandard.COMPRESSOBJ_FLUSH_BLOCK
    blocks = (content[start : start + 50] for start in range(0, len(content), 50))
    packed = [compressor.compress(block) + compressor.flush(flush) for block in blocks]
    return b"".join(packed) + compressor.flush()


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".zst", zstd_in_blocks)])
@pytest.mark.parametrize("bounds", [[], [1], [40, 80, 120, 160, 200, 240]])
def test_truncation_at_any_byte_keeps_what_is_before(tmp_path, suffix, pack, bounds):
    content = encode([f"text {number * 7919}" for number in range(8)])
    packed = pack(content)
    for kept in range(1, len(packed)):
        path = tmp_path / f"cut.jsonl{suffix}"
        path.write_bytes(packed[:kept])
        good = decoded(suffix, packed[:kept])
        *records, reject = read_cut(path, bounds)
        *whole, broken = good.split(b"\n")
        assert [record.text for record in records] == [json.loads(x)["text"] for x in whole]
        assert reject[:2] == (f"byte {len(good)}", "truncated")
        assert reject.payload == broken


def test_good_records_survive_bad_ones(tmp_path, read_all):
    rows = [orjson.dumps({"text": f"good {number}"}) for number in range(20)]
    rows.insert(3, b'{"text": "broken"')
    rows.insert(9, b'{"text": "bad \xff"}')
    rows.insert(15, b'{"title": "no text"}')
    rows.insert(23, b'{"text": 7}')
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join(rows))
    items = read_all(path)
    assert [item.text for item in items if isinstance(item, Record)] == [
        f"good {number}" for number in range(20)
    ]
    rejects = {item.error: item for item in items if isinstance(item, Reject)}
    assert list(rejects) == ["bad_json", "bad_utf8", "missing_field", "wrong_type"]
    assert [reject.payload for reject in rejects.values()] == [rows[n] for n in (3, 9, 15, 23)]
    assert rejects["bad_json"].locator == f"byte {sum(len(line) + 1 for line in rows[:3])}"
    assert "title" in rejects["missing_field"].message
    assert rejects["bad_utf8"].message.startswith("byte 14 of the line")


@pytest.mark.parametrize(
    ("line", "error", "part"),
    [
        (b"null", "wrong_type", "null"),
        (b'"text"', "wrong_type", "str"),
        (b'{"text": ["a"]}', "wrong_type", "list"),
        (b'{"text": null}', "missing_field", "'text'"),
        (b"{}", "missing_field", "none"),
        (b'{"text": NaN}', "wrong_type", "float"),
        (b'{"text": "a", "n": nan}', "bad_json", "line 1"),
        (b'{"text": "a"} "b"', "bad_json", "line 1"),
        (b'{"text": "a"}}', "bad_json", "line 1"),
        (b'{"text": "\xff", "n": NaN}', "bad_utf8", "byte 10"),
        (b'{"text": "a", "n": %s' % (b"[" * 5000), "bad_json", "not closed"),
    ],
)
def test_a_bad_line_says_why(tmp_path, read_all, line, error, part):
    path = tmp_path / "a.jsonl"
    path.write_bytes(line)
    [reject] = read_all(path)
    assert reject.error == error
    assert part in reject.message
    assert reject.payload == line


def test_source_and_metadata(tmp_path, read_all):
    rows = [
        {"text": "a", "source": "wiki", "z": [1, "é"], "b": {"y": None, "x": 1.5}},
        {"text": "", "source": None},
        {"text": "nul \0 kept"},
    ]
    path = tmp_path / "v1.2-part.jsonl.gz"
    path.write_bytes(gzip.compress(b"\r\n".join(map(orjson.dumps, rows))))
    first, second, third = read_all(path)
    assert first == Record("byte 0", "a", "wiki", '{"b":{"x":1.5,"y":null},"z":[1,"é"]}')
    assert second == Record("byte 66", "", "v1.2-part", "{}")
    assert third.text == "nul \0 kept"


ODD = [
    (b"NaN", "null", ["nan"]),
    (b"[1, -Infinity, NaN]", "[1,null,null]", ["infinity", "nan"]),
    (b'"\\ud800"', "null", ["lone_surrogate"]),
    (b'{"\\udc00": 1, "y": 2}', '{"y":2}', ["lone_surrogate"]),
    (b'"caf\xe9"', "null", ["bad_utf8"]),
    (b'"tab\there"', '"tab\\there"', []),
    (b"1e999", "null", ["infinity"]),
    (b"18446744073709551616", "18446744073709551616", []),
    (b"-9223372036854775809", "-9223372036854775809", []),
    (b"[1e19, %d]" % 3**100, f"[1e+19,{3**100}]", []),
    (b"%d" % 10**4000, f"{10**4000}", []),
    (b"9" * 5000, f'"{"9" * 5000}"', []),
    (b"%s1%s" % (b"[" * 245, b"]" * 245), "[" * 245 + "1" + "]" * 245, []),
    (b"%s1%s" % (b"[" * 400, b"]" * 400), "[" * 249 + "null" + "]" * 249, ["too_deep"]),
    (b"%s%s" % (b"[" * 5000, b"]" * 5000), "[" * 249 + "null" + "]" * 249, ["too_deep"]),
    (b'{"a": 1, "a": 2}', '{"a":2}', []),
    (b'"1e+20 in a text"', '"1e+20 in a text"', []),
]


@pytest.mark.parametrize(("value", "kept", "reasons"), ODD, ids=range(len(ODD)))
def test_a_value_that_json_cannot_hold_costs_its_field(tmp_path, read_all, value, kept, reasons):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "kept", "source": "s", "z": 1, "n": %s}\n{"text": "next"}' % value)
    first, second = read_all(path)
    assert first == Record("byte 0", "kept", "s", f'{{"n":{kept},"z":1}}', tuple(reasons))
    assert second.text == "next"


def test_half_a_character_in_the_text_is_replaced_and_counted(tmp_path, read_all):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "half \\ud83d emoji", "source": "\\ud800"}')
    [record] = read_all(path)
    assert (record.text, record.source) == ("half \ufffd emoji", "a")
    assert record.metadata == '{"source":null}'
    assert record.left_out == ("lone_surrogate", "surrogate_in_text")


@pytest.mark.parametrize("source", [3, ["a"], {"name": "a"}, True])
def test_a_source_that_is_no_text_stays_a_field(tmp_path, read_all, source):
    path = tmp_path / "a.jsonl"
    path.write_bytes(orjson.dumps({"text": "t", "source": source}))
    [record] = read_all(path)
    assert (record.source, orjson.loads(record.metadata)) == ("a", {"source": source})


def test_fields_of_objects_can_be_named(tmp_path, read_all):
    path = tmp_path / "a.jsonl"
    rows = [
        {"data": {"text": "nested", "by": {"name": "who"}, "n": 1}},
        {"data": {"text": "nested"}, "data.text": "flat", "x": 2},
        {"data": ["text"]},
    ]
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    options = ReadOptions("data.text", "data.by.name")
    first, second, third = read_all(path, options=options)
    assert first == Record("byte 0", "nested", "who", '{"data":{"by":{},"n":1}}')
    assert second[1:4] == ("flat", "a", '{"data":{"text":"nested"},"x":2}')
    assert third.error == "missing_field"


def test_the_fields_that_are_kept_can_be_chosen(tmp_path, read_all):
    path = tmp_path / "a.jsonl"
    row = {"text": "t", "id": 1, "meta": {"url": "u", "bad": 2}, "meta.lang": "en", "other": 3}
    path.write_bytes(orjson.dumps(row))
    wanted = ("id", "meta.url", "meta.lang", "none")
    [record] = read_all(path, options=ReadOptions(fields=wanted))
    assert orjson.loads(record.metadata) == {"id": 1, "meta": {"url": "u"}, "meta.lang": "en"}
    [record] = read_all(path, options=ReadOptions(fields=()))
    assert record.metadata == "{}"


def test_fields_can_be_named(tmp_path, read_all):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"content": "c", "from": "f", "text": "t"}')
    [record] = read_all(path, options=ReadOptions("content", "from"))
    assert record == Record("byte 0", "c", "f", '{"text":"t"}')


def test_byte_order_mark_is_no_part_of_the_first_record(tmp_path, read_all):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"text": "a"}\n{"text": "b"}\n')
    assert [record.text for record in read_all(path)] == ["a", "b"]


@pytest.mark.parametrize("suffix", PACK_OR_NOT)
def test_empty_file_yields_nothing(tmp_path, read_all, suffix):
    path = tmp_path / f"a.jsonl{suffix}"
    path.write_bytes(PACK_OR_NOT[suffix](b""))
    assert read_all(path) == []
    path.write_bytes(b"")
    assert read_all(path) == []


@settings(deadline=None)
@given(size=st.integers(0, 40), limit=st.integers(0, 30), bounds=BOUNDS)
def test_too_long_a_line_is_one_reject(scratch, size, limit, bounds):
    path = scratch / "long.jsonl"
    path.write_bytes(b"a\n" * (limit > 0) + b"x" * size + b"\nb"[: 2 * (limit > 0)])
    items = [
        item
        for part in slices(path, bounds)
        for item in read_lines(part.path, part.start, part.end, limit)
    ]
    long = [item for item in items if isinstance(item, Reject)]
    assert [item.error for item in long] == ["too_long"] * (size > limit)
    if limit > 0:
        assert [item for item in items if item not in long][:1] == [("byte 0", b"a")]
        assert items[-1] == (f"byte {2 + size + 1}", b"b")


def test_payload_of_a_long_line_is_its_head(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    content = b"head" + b"x" * (5 * 2**20)
    path.write_bytes(gzip.compress(content + b'\n{"text": "next"}\n'))
    long, following = read_lines(str(path), 0, -1, limit=2**20)
    assert long[:2] == ("byte 0", "too_long")
    assert isinstance(long, Reject)
    assert f"{len(content):,}" in long.message
    assert long.payload == content[:PAYLOAD_LIMIT]
    assert following == (f"byte {len(content) + 1}", b'{"text": "next"}')


def test_a_slice_inside_a_long_line_stops_at_its_end(monkeypatch):
    taken = []

    def blocks(path, start):
        for number in range(100):
            taken.append(number)
            yield b"x" * 10

    monkeypatch.setattr(open_stream, "read_blocks", blocks)
    assert list(read_lines("any", 100, 120)) == []
    assert taken == [0, 1, 2]


def test_compressed_files_are_cut_into_few_slices(tmp_path):
    content = encode(["text"] * 5000)
    for suffix, pack in PACK_OR_NOT.items():
        (tmp_path / f"a.jsonl{suffix}").write_bytes(pack(content))
    paths = {suffix: str(tmp_path / f"a.jsonl{suffix}") for suffix in PACK_OR_NOT}
    counts = {suffix: len(cut(path, "a", 1000)) for suffix, path in paths.items()}
    plain = counts.pop("")
    assert plain == round(len(content) / 1000)
    # A file that states its size is cut by it, another by an estimate.
    assert (counts[".gz"], counts[".zst"]) == (COMPRESSED_SLICES,) * 2
    assert max(counts.values()) == COMPRESSED_SLICES


def test_a_file_that_is_gone_is_a_reject(tmp_path):
    path = str(tmp_path / "gone.jsonl")
    [reject] = READERS["jsonl"].read(Slice(path, "gone.jsonl", "jsonl", 10, 20, 10), ReadOptions())
    assert reject[:2] == ("slice 10:20", "unreadable")
    assert isinstance(reject, Reject)
    assert "No such file" in reject.message


@pytest.mark.parametrize("suffix", PACK_OR_NOT)
def test_lines_that_end_in_cr_alone_are_one_slice(tmp_path, suffix):
    path = tmp_path / f"a.jsonl{suffix}"
    lines = [f'{{"text": "one {number}"}}' for number in range(60)]
    path.write_bytes(PACK_OR_NOT[suffix]("\r".join(lines).encode()))
    assert len(cut(str(path), "a.jsonl", 100)) == 1
    records = read_cut(path, [])
    assert [record.text for record in records] == [f"one {number}" for number in range(60)]
    places = [sum(len(line) + 1 for line in lines[:number]) for number in range(60)]
    assert [record.locator for record in records] == [f"byte {place}" for place in places]


def test_objects_over_several_lines_that_end_in_cr_are_items(tmp_path, read_all):
    path = tmp_path / "a.json"
    path.write_bytes(
        json.dumps([{"text": "a"}, {"text": "b"}], indent=1).replace("\n", "\r").encode()
    )
    assert [(item.locator, item.text) for item in read_all(path)] == [
        ("item 0", "a"),
        ("item 1", "b"),
    ]


@pytest.mark.parametrize("between", ["", " ", "\r", "\x1e", ", ", "\ufeff"])
def test_joined_lines_hold_all_their_records_whatever_the_cut(tmp_path, between):
    path = tmp_path / "a.jsonl"
    joined = between.join(f'{{"text": "é{number}"}}' for number in range(3)).encode()
    line = b'{"text": "alone"}\n'
    path.write_bytes(line + joined + b"\n" + line)
    records = read_cut(path, [])
    assert [record.text for record in records] == ["alone", "é0", "é1", "é2", "alone"]
    places = [joined.index(f'{{"text": "é{number}'.encode()) for number in (1, 2)]
    at = f"byte {len(line)}"
    assert [record.locator for record in records[1:4]] == [at, *(f"{at}+{n}" for n in places)]
    for bounds in ([len(line)], [len(line) + places[0]], [5, 40, 60, 80]):
        assert read_cut(path, bounds) == records


def test_a_bad_value_on_a_joined_line_costs_itself(tmp_path, read_all):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "a"}{"text": "\xff"}{"n": 1}{"text": "b", "n": NaN}{"text": "cut')
    items = read_all(path)
    assert [item.text for item in items if isinstance(item, Record)] == ["a", "b"]
    rejects = [item for item in items if isinstance(item, Reject)]
    assert [item.error for item in rejects] == ["bad_utf8", "missing_field", "bad_json"]
    assert [item.locator for item in rejects] == ["byte 0+13", "byte 0+26", "byte 0+57"]
    assert rejects[-1].payload == b'{"text": "cut'


@pytest.mark.parametrize("end", [b"\n", b"", b"\r\n"])
def test_record_separators_begin_lines_or_values(tmp_path, read_all, end):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"".join(b'\x1e{"text": "%d"}' % number + end for number in range(9)))
    items = read_all(path, target_bytes=30)
    assert [item.text for item in items] == [f"{number}" for number in range(9)]
    assert items[0].locator == "byte 0"
