"""A corpus of everything that goes wrong, read and curated whole.

Each file holds good documents, which tell their number, beside what no reader can use.
"""

import gzip
import io
import json
import random
from collections import Counter
from dataclasses import asdict

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from pipelines.curate import quarantine
from pipelines.engine.runner import Engine
from pipelines.readers.records import ReadOptions, Record, Reject, Skipped
from pipelines.readers.registry import READERS
from pipelines.readers.streams import open_stream
from pipelines.verify.ledger import count_funnel, read_ledger
from pipelines.work.units import plan
from tests.conftest import write_text
from tests.pipelines.jobs import run_jobs

LIMIT = 200_000  # bytes of a record in this corpus


def prose(name, number):
    return f"{name} {number}. " + write_text(random.Random(f"{name} {number}"), 8)


def rows(name, count=6):
    """JSON lines of so many good documents."""
    return [json.dumps({"text": prose(name, number)}).encode() for number in range(count)]


def lines(*parts):
    return b"".join(part + b"\n" for part in parts)


def truncated_gzip(name):
    return gzip.compress(lines(*rows(name)))[:-6]


def bad_frame(name):
    """Six frames of a document each; the content of the third is damaged."""
    frames = [zstandard.compress(line + b"\n") for line in rows(name)]
    frames[2] = frames[2][:40] + b"\xee" * 40 + frames[2][80:]
    return b"".join(frames)


def bad_utf8(name):
    good = rows(name)
    return lines(*good[:3], b'{"text": "bad \xff bytes"}', *good[3:])


def long_line(name):
    good = rows(name)
    long = json.dumps({"text": "letters " * LIMIT}).encode()
    return zstandard.compress(lines(*good[:3], long, *good[3:]))


def nuls(name):
    """A document with a NUL is good, escaped or raw; a line of NULs is no JSON."""
    escaped = json.dumps({"text": prose(name, 0) + "\0"}).encode()
    raw = rows(name, 7)[6].replace(b'"}', b'\0"}')
    return lines(escaped, raw, b"\0" * 50, *rows(name)[1:])


def surrogates(name):
    """Half a character in a text, or in another field, costs no document."""
    *good, half, other = rows(name, 8)
    half = half.replace(b'"}', rb'\ud800"}')
    return lines(*good[:2], half, *good[2:], other.replace(b'"}', rb'", "x": "\udc00"}'))


def missing_column(name):
    sink = io.BytesIO()
    pq.write_table(pa.table({"title": ["a"] * 5}), sink)
    return sink.getvalue()


def ragged_csv(name):
    good = [f'{number},"{prose(name, number)}"'.encode() for number in range(4)]
    return lines(b"n,text", good[0], b"only one", good[1], b"1,2,3", *good[2:])


def damaged_arrow(name):
    sink = io.BytesIO()
    table = pa.table({"text": [prose(name, number) for number in range(6)]})
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    content = sink.getvalue()
    second = content.index(prose(name, 2)[:20].encode())
    return content[: second - 16] + b"\xff" * 16 + content[second:]


def warc_record(content, kind="conversion"):
    fields = {"Type": kind, "Date": "2024-05-01T00:00:00Z", "Target-URI": "http://a.org/"}
    head = "".join(f"WARC-{name}: {value}\r\n" for name, value in fields.items())
    head += f"Content-Type: text/plain\r\nContent-Length: {len(content)}\r\n\r\n"
    return b"WARC/1.0\r\n" + head.encode() + content + b"\r\n\r\n"


def broken_warc(name):
    good = [warc_record(prose(name, number).encode()) for number in range(4)]
    request = warc_record(b"GET / HTTP/1.1\r\n\r\n", "request")
    return b"".join([*good[:2], b"no record at all\r\n" * 3, request, *good[2:]])


# name -> what makes its bytes, how many good documents, and what else it holds
FAULTS = {
    "truncated.jsonl.gz": (truncated_gzip, 6, {"truncated": 1}),
    "frame.jsonl.zst": (bad_frame, 5, {"truncated": 1}),
    "utf8.jsonl": (bad_utf8, 6, {"bad_utf8": 1}),
    "long.jsonl.zst": (long_line, 6, {"too_long": 1}),
    "empty.jsonl": (lambda _: b"", 0, {}),
    "empty.csv": (lambda _: b"", 0, {}),
    "nul.jsonl": (nuls, 7, {"bad_json": 1}),
    "surrogate.jsonl": (surrogates, 8, {}),
    "column.parquet": (missing_column, 0, {"missing_field": 1}),
    "ragged.csv": (ragged_csv, 4, {"ragged_row": 2}),
    "batch.arrow": (damaged_arrow, 4, {"bad_arrow": 1}),
    "nested/deep/good.txt": (lambda name: prose(name, 0).encode(), 1, {}),
    "nested/utf8.md": (lambda _: b"caf\xe9", 0, {"bad_utf8": 1}),
    "crawl.wet": (broken_warc, 4, {"bad_warc": 1}),
    "gone.jsonl": (None, 0, {"unreadable": 1}),
}
GOOD = sum(good for _, good, _ in FAULTS.values())
SKIPPED = ("crawl.wet", Skipped("request"))
BAD = Counter(
    {(name, error): n for name, (_, _, bad) in FAULTS.items() for error, n in bad.items()}
)


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """The folder of all faults, with a loop of links; records may be LIMIT bytes long."""
    root = tmp_path / "corpus"
    for name, (make, _, _) in FAULTS.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if make:
            path.write_bytes(make(name))
        else:
            path.symlink_to(root / "nowhere")
    (root / "nested" / "loop").symlink_to(root)
    monkeypatch.setattr(open_stream, "RECORD_LIMIT", LIMIT)
    return root


def read(root, target_bytes):
    """Return (file, item) of everything that the units hold."""
    units = plan([str(root)], target_bytes).units
    return [
        (part.name, item)
        for unit in units
        for part in unit.slices
        for item in READERS[part.reader].read(part, ReadOptions())
    ]


@pytest.mark.parametrize("target", [700, 8 * 2**20])
def test_good_records_come_out_and_bad_ones_say_why(corpus, target):
    items = read(corpus, target)
    texts = Counter(name for name, item in items if isinstance(item, Record))
    assert texts == Counter({name: good for name, (_, good, _) in FAULTS.items() if good})
    for name, item in items:
        assert not isinstance(item, Record) or item.text.startswith(f"{name} ")
    assert Counter((name, x.error) for name, x in items if isinstance(x, Reject)) == BAD
    assert all(item.message and item.locator for _, item in items if isinstance(item, Reject))
    assert [pair for pair in items if isinstance(pair[1], Skipped)] == [SKIPPED]
    places = [(name, item.locator) for name, item in items if not isinstance(item, Skipped)]
    assert len(places) == len(set(places)) == len(items) - 1


def test_a_whole_run_accounts_for_every_record(corpus, tmp_path):
    counts = run_jobs([corpus], tmp_path / "run", Engine(1), target_bytes=20_000)
    records = counts.documents.records
    assert records.quarantined == BAD.total()
    assert records.read == GOOD + BAD.total()
    assert records.read == sum(n for name, n in asdict(records).items() if name != "read")
    assert (records.kept, records.dropped, records.duplicate) == (GOOD, 0, 0)
    assert counts.documents.skipped == {"request": 1}
    assert counts.documents.left_out == {"lone_surrogate": 1, "surrogate_in_text": 1}
    assert count_funnel(read_ledger(tmp_path / "run"))["records"] == records
    entries = list(quarantine.read(tmp_path / "run" / "quarantine"))
    assert Counter((entry.name, entry.error) for entry in entries) == BAD


def test_a_line_of_100_mb_is_a_record(tmp_path):
    size = 100 * 10**6
    packer = zstandard.ZstdCompressor(level=1)
    path = tmp_path / "long.jsonl.zst"
    line = b'{"text": "%s"}\n' % (b"a " * (size // 2))
    path.write_bytes(packer.compress(line + b'{"text": "next"}\n'))
    long, following = (item for _, item in read(path, 10**9))
    assert len(long.text) == size
    assert long.text[-4:] == "a a "
    assert following.text == "next"
    assert following.locator == f"byte {len(line)}"
