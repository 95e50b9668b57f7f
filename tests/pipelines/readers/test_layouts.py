"""Files in the shapes of published corpora: texts, URLs and metadata are found."""

import gzip
import json
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from pipelines.readers.inputs import expand
from pipelines.readers.look import describe
from pipelines.readers.read import read_records
from pipelines.readers.records import ReadOptions
from pipelines.rules.metadata import read_urls

URL = "https://www.example.org/a/page"
TEXT = "The text of a page, which is longer than any other field of its record is, as texts are."

C4 = {"text": TEXT, "timestamp": "2019-04-25T12:57:54Z", "url": URL}
DOLMA = {
    "id": "dolma-v1_7-cc-en-0001",
    "text": TEXT,
    "source": "common-crawl",
    "added": "2023-04-11T09:57:03.044571+00:00",
    "created": "2020-02-17T22:48:05Z",
    "metadata": {"url": URL, "length": 812, "cc_segment": "crawl-data/CC-MAIN-2020-10"},
}
RED_PAJAMA_1 = {
    "text": TEXT,
    "meta": {"url": URL, "timestamp": "2019-04-25T12:57:54Z", "language": "en"},
    "red_pajama_subset": "c4",
}
RED_PAJAMA_2 = {
    "url": URL,
    "date_download": "2022-11-28T01:53:08Z",
    "digest": "sha1:XYZ",
    "length": 812,
    "nlines": 1,
    "source_domain": "www.example.org",
    "title": "A page",
    "raw_content": TEXT,
    "cc_segment": "crawl-data/CC-MAIN-2022-49/x.warc.wet.gz",
    "language": "en",
    "language_score": 0.97,
    "perplexity": 254.1,
    "bucket": "head",
}
FINE_WEB = {
    "text": TEXT,
    "id": "<urn:uuid:0d8a309d>",
    "dump": "CC-MAIN-2013-20",
    "url": URL,
    "date": "2013-05-18T05:48:54Z",
    "file_path": "s3://commoncrawl/crawl-data/x.warc.gz",
    "language": "en",
    "language_score": 0.9185,
    "token_count": 19,
}
OSCAR = {
    "content": TEXT,
    "warc_headers": {
        "warc-record-id": "<urn:uuid:ae85>",
        "warc-date": "2022-11-26T09:45:47Z",
        "content-type": "text/plain",
        "warc-type": "conversion",
        "warc-target-uri": URL,
    },
    "metadata": {
        "identification": {"label": "en", "prob": 0.93},
        "quality_warnings": ["short_sentences"],
        "sentence_identifications": [{"label": "en", "prob": 0.96}, None],
    },
}
LINES = {
    "C4": ("en/c4-train.00000-of-01024.json.gz", C4, "text"),
    "mC4": ("multilingual/c4-fr.tfrecord-00000-of-02048.json.gz", C4, "text"),
    "Dolma": ("cc_en_head-0000.json.gz", DOLMA, "text"),
    "RedPajama v1": ("c4-train.00000-of-01024.jsonl", RED_PAJAMA_1, "text"),
    "RedPajama v2": ("2022-49/0000/en_head.json.gz", RED_PAJAMA_2, "raw_content"),
    "OSCAR 23": ("en_meta/en_meta_part_1.jsonl.zst", OSCAR, "content"),
    "FineWeb as lines": ("CC-MAIN-2013-20/000_00000.jsonl.gz", FINE_WEB, "text"),
}
PACK: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".zst": zstandard.compress}


@pytest.fixture
def write(tmp_path):
    def run(name, row):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = "".join(json.dumps({**row, "n": n}) + "\n" for n in range(3)).encode()
        path.write_bytes(PACK.get(path.suffix, bytes)(content))
        return path

    return run


def check(path, row, text_field):
    """Every record has the text, the URL is found, and all other fields are in the metadata."""
    records = [record for _, record in read_records([str(path)], ReadOptions(text_field))]
    assert len(records) == 3
    metadata = pa.array([record.metadata for record in records])
    assert read_urls(metadata, None) == [URL] * 3
    others = {name: value for name, value in row.items() if name not in (text_field, "source")}
    for number, record in enumerate(records):
        assert record.text == TEXT
        assert record.source == row.get("source", record.source)
        assert json.loads(record.metadata) == {**others, "n": number}
        assert record.left_out == ()


def look_at(path):
    [item], ignored, _ = expand([str(path)])
    assert ignored == []
    return describe(item)


@pytest.mark.parametrize("corpus", LINES)
def test_lines(write, corpus):
    name, row, text_field = LINES[corpus]
    path = write(name, row)
    check(path, row, text_field)
    found = look_at(path)
    assert found.suggestion == (None if text_field == "text" else text_field)
    assert {field.name for field in found.fields} >= {text_field, "n"}
    if found.suggestion:
        hint = f'set read.text_field = "{text_field}"'
        assert all(reject.message.endswith(hint) for reject in found.rejects)


@pytest.mark.parametrize(("row", "text_field"), [(FINE_WEB, "text"), (OSCAR, "content")])
def test_parquet(tmp_path, row, text_field):
    path = tmp_path / "data" / "CC-MAIN-2013-20" / "train-00000-of-00014.parquet"
    path.parent.mkdir(parents=True)
    rows = [{**row, "n": n} for n in range(3)]
    pq.write_table(pa.Table.from_pylist(rows), path)
    check(path, row, text_field)
    assert look_at(path).suggestion == (None if text_field == "text" else text_field)


def test_a_folder_of_several_corpora_and_junk(write, tmp_path):
    for name, row, _ in LINES.values():
        write(name, row)
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / "dataset_infos.json").write_text("{}")
    (tmp_path / "README.xyz").write_text("not a corpus")
    (tmp_path / "archive.json.gz").write_bytes(b"PK\x03\x04 no gzip at all")
    (tmp_path / "empty.jsonl").touch()
    found, ignored, _ = expand([str(tmp_path)])
    looks = {item.name: describe(item) for item in found}
    assert ignored == [str(tmp_path / "README.xyz")]
    assert len(looks) == len(LINES) + 2
    for name, _, text_field in LINES.values():
        assert len(looks[name].samples) == (3 if text_field == "text" else 0)
    assert (looks["empty.jsonl"].samples, looks["empty.jsonl"].rejects) == ((), ())
    [reject] = looks["archive.json.gz"].rejects
    assert reject.error == "wrong_format"
    assert reject.message == "the file is a ZIP archive; unpack it"
