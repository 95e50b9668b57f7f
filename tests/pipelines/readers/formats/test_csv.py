import csv
import gzip
import io
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.readers.records import ReadOptions, Record, Reject
from pipelines.readers.streams import open_stream

CELLS = st.text(st.sampled_from('ab",\t\n\r\0 é'), max_size=8)
ROWS = st.lists(st.tuples(CELLS, CELLS), max_size=8)


def write(path, rows, **options):
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, **options).writerows(rows)
    path.write_bytes(text.getvalue().encode())
    return path


def errors(items):
    return [item.error for item in items if isinstance(item, Reject)]


def texts(items):
    return [item.text for item in items if isinstance(item, Record)]


@pytest.mark.parametrize(("suffix", "delimiter"), [("csv", ","), ("tsv", "\t")])
@given(rows=ROWS, newline=st.sampled_from(["\n", "\r\n"]))
def test_what_a_writer_writes_is_read(scratch, read_all, suffix, delimiter, rows, newline):
    path = scratch / f"law.{suffix}"
    write(path, [("text", "n"), *rows], delimiter=delimiter, lineterminator=newline)
    records = read_all(path)
    assert [(item.text, json.loads(item.metadata)["n"]) for item in records] == rows


def test_source_metadata_and_locators(tmp_path, read_all):
    path = tmp_path / "web.csv.gz"
    content = '\ufefftext,source,n,n,\r\n"one\r\nand ""more""",s,1,2,3\r\n\r\ntwo,,4,5,6'.encode()
    path.write_bytes(gzip.compress(content))
    first, second = read_all(path)
    assert first == Record("byte 21", 'one\r\nand "more"', "s", '{"":"3","n":"1","n.4":"2"}')
    place = f"byte {content.index(b'two')}"
    assert second[:3] == (place, "two", "web")  # an empty source is none


def test_bad_rows_are_rejected_and_the_rest_kept(tmp_path, read_all):
    path = tmp_path / "a.csv"
    lines = [
        b"text,n",
        b"good 1,1",
        b"short",
        b'"long\nrow",1,2',
        b"bad \xff,1",
        b'"stray" quote,1',
        b"good 2,1",
        b'"bad \xfe\nin two lines",2',
        b"nul \0 kept,1",
        b'"never closed,1',
        b"good 3,1",
    ]
    path.write_bytes(b"\n".join(lines))
    items = read_all(path)
    assert texts(items) == ["good 1", "good 2", "nul \0 kept", "good 3"]
    assert errors(items) == [
        "ragged_row", "ragged_row", "bad_utf8", "bad_csv", "bad_utf8", "bad_csv",
    ]  # fmt: skip
    payloads = [item.payload for item in items if isinstance(item, Reject)]
    assert payloads == [lines[at] for at in (2, 3, 4, 5, 7, 9)]
    ragged = next(item for item in items if isinstance(item, Reject))
    assert ragged.locator == f"byte {len(lines[0]) + len(lines[1]) + 2}"
    assert ragged.message == "1 fields; the first row has 2"


@given(
    st.lists(st.sampled_from([b"a,b", b'"a', b'b"', b'""', b'"a""",b', b",", b"\xff"]), max_size=12)
)
@example([b'"a'] * 12)
def test_every_line_is_accounted_for(scratch, read_all, lines):
    path = scratch / "lines.csv"
    path.write_bytes(b"\n".join([b"text,n", *lines]))
    places = [item.locator for item in read_all(path)]
    assert len(places) == len(set(places))
    good = [item.text for item in read_all(path) if isinstance(item, Record)]
    if b'"a' not in lines and b'b"' not in lines:
        assert good.count("a") == lines.count(b"a,b")
        assert len(places) == len(lines)


def test_quotes_that_never_close_cost_time_in_proportion(tmp_path, read_all, monkeypatch):
    fed = []
    path = tmp_path / "a.csv"
    path.write_bytes(b"text,n\n" + b'"open,1\n' * 2000)
    from pipelines.readers.formats.csv import Feed

    feed_one = Feed.__next__

    def feed(self):
        fed.append(1)
        return feed_one(self)

    monkeypatch.setattr(Feed, "__next__", feed)
    assert set(errors(read_all(path))) == {"bad_csv"}
    assert len(fed) < 3 * 2000


def test_a_stray_quote_does_not_hold_a_file_of_short_lines(tmp_path, read_all, monkeypatch):
    monkeypatch.setattr("pipelines.readers.formats.csv.ROW_LINES", 40)
    path = tmp_path / "a.csv"
    path.write_text('text,n\n"' + "short,1\n" * 100)
    broken, *rest = read_all(path)
    assert broken == Reject("byte 7", "bad_csv", "row of more than 40 lines", b'"short,1')
    assert texts(rest) == ["short"] * 99


def test_rows_up_to_the_record_limit(tmp_path, read_all, monkeypatch):
    monkeypatch.setattr(open_stream, "RECORD_LIMIT", 30_000)
    path = tmp_path / "a.csv"
    fits, over = "x\n" * 14_900, "y\n" * 15_100
    path.write_text(f'text,n\n"{fits}",1\n"{over}",1\nlast,1\n')
    items = read_all(path)
    assert texts(items)[0] == fits
    assert texts(items)[-1] == "last"
    assert errors(items)[0] == "bad_csv"
    assert "more than 30,000 bytes" in items[1].message


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"\xff,text\na,b", "bad_header"),
        (b'"text\n', "bad_header"),
        (b"title,body\na,b", "missing_field"),
    ],
)
def test_a_file_without_a_usable_first_row_is_one_reject(tmp_path, read_all, content, error):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    [reject] = read_all(path)
    assert reject[:2] == ("file", error)


def test_a_quoted_name_behind_a_byte_order_mark_is_quoted(tmp_path, read_all):
    path = tmp_path / "a.csv"
    path.write_bytes('\ufeff"text","a, b"\n"\ufeffone",2\n'.encode())
    [item] = read_all(path)
    assert item == Record("byte 17", "\ufeffone", "a", '{"a, b":"2"}')


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"text,n\n", b"\n\n"])
def test_a_file_without_rows_yields_nothing(tmp_path, read_all, content):
    (tmp_path / "a.csv").write_bytes(content)
    assert read_all(tmp_path / "a.csv") == []


def test_truncation_inside_a_row_keeps_what_is_before(tmp_path, read_all):
    content = b'text,n\na,1\nb,2\n"c\nd,3\ne'
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(content)[:-4])
    items = read_all(path)
    assert texts(items) == ["a", "b", "d"]
    assert errors(items) == ["bad_csv", "truncated"]
    assert items[-1].locator == f"byte {len(content)}"


def test_fields_can_be_named(tmp_path, read_all):
    path = tmp_path / "a.tsv"
    path.write_text("body\tfrom\nb\tf\n")
    [record] = read_all(path, options=ReadOptions("body", "from"))
    assert (record.text, record.source) == ("b", "f")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
@pytest.mark.parametrize("header", ["text{0}label", '"text"{0}"label"', "label{0}n{0}text"])
def test_the_header_tells_what_fields_are_apart_by(tmp_path, read_all, delimiter, suffix, header):
    path = tmp_path / f"a{suffix}"
    header = header.format(delimiter)
    names = [name.strip('"') for name in header.split(delimiter)]
    value = {"text": '"one, two; three|four\tfive"', "label": "1", "n": "2"}
    row = delimiter.join(value[name] for name in names)
    path.write_text(f"{header}\n{row}\n")
    [record] = read_all(path)
    assert record.text == "one, two; three|four\tfive"
    assert json.loads(record.metadata) == {name: value[name] for name in names if name != "text"}


def test_the_usual_delimiter_comes_first(tmp_path, read_all):
    path = tmp_path / "a.csv"
    path.write_text("text,a;b\none;two,three\n")
    [record] = read_all(path)
    assert (record.text, record.metadata) == ("one;two", '{"a;b":"three"}')


def test_a_header_without_the_text_field_says_which_to_set(tmp_path, read_all):
    path = tmp_path / "a.csv"
    path.write_text("id;body;url\n1;a longer text;u\n2;another text;u\n")
    [reject] = read_all(path)
    assert reject.error == "missing_field"
    message = "no column 'text'; there is id, body, url; set read.text_field = \"body\""
    assert reject.message == message


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("newline", ["\r", "\n", "\r\n"])
def test_rows_end_as_the_first_does(tmp_path, read_all, pack, newline):
    path = tmp_path / f"a.csv{'' if pack is bytes else '.gz'}"
    rows = ['"text","a\nb"', '"one\rmore\nand more",1', "two,2", "three,3"]
    path.write_bytes(pack(newline.join(rows).encode()))
    items = read_all(path)
    assert texts(items) == ["one\rmore\nand more", "two", "three"]
    assert items[-1].locator == f"byte {len(newline.join(rows[:3])) + len(newline)}"


@pytest.mark.parametrize("ends", [("\n", "\r"), ("\r", "\n"), ("\r\n", "\r"), ("\r", "\r\n")])
def test_parts_with_other_line_ends_are_read(tmp_path, read_all, ends):
    first, second = ends
    path = tmp_path / "a.csv"
    head = f"text,n{first}one,1{first}"
    path.write_bytes((head + f'two,2{second}"three\r\nand\rmore",3{second}four,4{second}').encode())
    items = read_all(path)
    assert texts(items) == ["one", "two", "three\r\nand\rmore", "four"]
    assert items[1].locator == f"byte {len(head)}"
    assert len({item.locator for item in items}) == 4


def test_a_stray_return_makes_no_rows(tmp_path, read_all):
    path = tmp_path / "a.csv"
    path.write_bytes(b"text,n\nsome\rtext,1\nnext,2\n")
    broken, last = read_all(path)
    assert (broken.error, broken.payload, last.text) == ("bad_csv", b"some\rtext,1", "next")
