"""Fields that the folders of a file name."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.readers.partitions import read_partitions
from pipelines.readers.read import read_records
from pipelines.readers.records import ReadOptions


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/a/lang=en/part.parquet", {"lang": "en"}),
        ("/a/y=2024/m=05/part.parquet", {"y": "2024", "m": "05"}),
        ("s3://b/k=1/part.parquet", {"k": "1"}),
        ("/a/k=a%2Fb%20c=d/p", {"k": "a/b c=d"}),
        ("/a/k=%E0%A4%B9+%/p", {"k": "ह+%"}),
        ("/a/k=caf%E9/p", {"k": "caf%E9"}),
        ("/a/k=__HIVE_DEFAULT_PARTITION__/p", {"k": None}),
        ("/a/k=/p", {"k": ""}),
        ("/old=1/a/k=2/p", {"k": "2"}),
        ("/a/=x/p", {}),
        ("/a/b/k=v", {}),
    ],
)
def test_folders_directly_above_a_file(path, fields):
    assert read_partitions(path) == fields


@pytest.fixture
def corpus(tmp_path):
    for lang, rows in {"en": [{"text": "a"}], "fr": [{"text": "b", "lang": "own"}]}.items():
        folder = tmp_path / f"lang={lang}"
        folder.mkdir()
        pq.write_table(pa.Table.from_pylist(rows), folder / "p.parquet")
        (folder / "p.jsonl").write_text("".join(map(json.dumps, rows)))
        (folder / "p.csv").write_text("text\nc\n")
        (folder / "p.txt").write_text("d")
        (folder / "p.html").write_text("<p>One sentence of a page that is long enough to keep.</p>")
    (tmp_path / "_SUCCESS").touch()
    return tmp_path


def test_every_format_has_them_and_a_column_of_the_file_wins(corpus):
    found = {name: json.loads(record.metadata) for name, record in read_records([str(corpus)])}
    own = {"lang=fr/p.parquet", "lang=fr/p.jsonl"}
    assert len(found) == 10
    for name, metadata in found.items():
        assert metadata["lang"] == ("own" if name in own else name[5:7])


def test_one_may_be_the_source(corpus):
    options = ReadOptions(source_field="lang")
    found = dict(read_records([str(corpus)], options))
    assert found["lang=en/p.parquet"].source == "en"
    assert found["lang=en/p.parquet"].metadata == "{}"
    assert found["lang=fr/p.jsonl"].source == "own"
    assert found["lang=en/p.csv"].source == "en"


def test_they_can_be_left_out(corpus):
    found = [record.metadata for _, record in read_records([str(corpus)], ReadOptions(fields=()))]
    assert set(found) == {"{}"}
