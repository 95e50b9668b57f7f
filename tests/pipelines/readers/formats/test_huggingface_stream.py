"""Local datasets only: nothing here may reach the hub."""

import json
import os

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"

from pipelines.readers.formats import huggingface, huggingface_stream
from pipelines.readers.records import ReadOptions, Record, Reject
from pipelines.readers.registry import READERS
from pipelines.work.units import Unit, bind, fingerprint, plan
from weighting.errors import AssayError

datasets = pytest.importorskip("datasets")
ROWS = 1200  # more than a batch


@pytest.fixture(autouse=True)
def _local_only(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    yield
    huggingface_stream.load.cache_clear()


@pytest.fixture
def folder(tmp_path):
    """Three files of the training split."""
    root = tmp_path / "corpus"
    root.mkdir()
    for part in range(3):
        rows = ({"text": f"{part} {row}", "n": row} for row in range(ROWS))
        (root / f"train-{part}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return root


def read_all(spec, options=ReadOptions()):
    path, name = huggingface.locate(spec)
    parts = huggingface_stream.cut(path, name, 1000)
    return [item for part in parts for item in huggingface_stream.read(part, options)]


def test_each_shard_is_a_slice_and_every_row_comes_once(folder):
    spec = f"hf-stream:{folder}"
    parts = huggingface_stream.cut(spec, "corpus", 1000)
    assert [(part.start, part.end) for part in parts] == [(0, 1), (1, 2), (2, -1)]
    records = read_all(spec)
    assert [item.text for item in records] == [f"{p} {r}" for p in range(3) for r in range(ROWS)]
    at = 2 * ROWS - 1
    place = f"shard 1 row {ROWS - 1}"
    assert records[at] == Record(place, f"1 {ROWS - 1}", "corpus", f'{{"n":{ROWS - 1}}}')


def test_nothing_is_stored(folder, tmp_path):
    assert len(read_all(f"hf-stream:{folder}@train")) == 3 * ROWS
    stored = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert all(path.suffix == ".lock" for path in stored)


def test_it_is_planned_as_an_input_that_travels(folder):
    units = plan([f"hf-stream:{folder}"], target_bytes=1000).units
    [names] = {tuple(part[1:3] for part in unit.slices) for unit in units}
    assert names == (("corpus", "huggingface-stream"),)
    assert [Unit.decode(unit.encode()) for unit in units] == units


def test_the_fingerprint_follows_the_content(folder):
    units = plan([f"hf-stream:{folder}"]).units
    [before] = fingerprint(units)
    assert before.size == sum(path.stat().st_size for path in folder.iterdir())
    (folder / "train-1.jsonl").write_text('{"text": "changed", "n": 1}\n')
    [after] = fingerprint(units)
    assert after.hash != before.hash


def test_a_shard_that_breaks_off_costs_its_rest(folder, monkeypatch):
    texts = [f"1 {row}" for row in range(ROWS)]

    def generate(part):
        for row in range(ROWS):
            if (part, row) == (1, 1100):
                raise ValueError("connection lost\nfor good")
            yield {"text": f"{part} {row}"}

    def expand(parts):
        for part in parts:
            yield from generate(part)

    broken = datasets.IterableDataset.from_generator(expand, gen_kwargs={"parts": [0, 1, 2]})
    monkeypatch.setattr(huggingface_stream, "load", lambda path: broken)
    monkeypatch.setattr(huggingface_stream.load, "cache_clear", lambda: None, raising=False)
    items = read_all("hf-stream:any/name")
    assert [item.text for item in items if isinstance(item, Record)] == [
        *(f"0 {row}" for row in range(ROWS)), *texts[:1100], *(f"2 {row}" for row in range(ROWS)),
    ]  # fmt: skip
    [reject] = [item for item in items if isinstance(item, Reject)]
    assert reject[:3] == ("shard 1 row 1100", "bad_shard", "ValueError: connection lost")


def test_a_missing_column_is_one_reject(folder):
    [reject] = read_all(f"hf-stream:{folder}", ReadOptions(text_field="body"))
    assert reject[:2] == ("file", "missing_field")


def test_a_split_has_to_be_chosen_where_there_are_several(folder):
    (folder / "test-0.jsonl").write_text('{"text": "t", "n": 1}\n')
    assert [item.text for item in read_all(f"hf-stream:{folder}@test")] == ["t"]
    with pytest.raises(AssayError, match=r"choose one split; valid: hf-stream:.*@train"):
        read_all(f"hf-stream:{folder}")


def test_what_cannot_be_loaded_is_named():
    with pytest.raises(AssayError, match="hf-stream:no/such: the dataset cannot be loaded"):
        read_all("hf-stream:no/such")


def test_a_network_that_fails_is_no_damaged_shard(folder, monkeypatch):
    units = plan([f"hf-stream:{folder}"]).units
    parts = [part for unit in bind(units, fingerprint(units)) for part in unit.slices]
    shard = datasets.IterableDataset.shard
    fails: list[Exception] = [ConnectionError("Server Disconnected")]

    class Broken:
        """A shard whose connection breaks."""

        def with_format(self, kind):
            return self

        def skip(self, rows):
            return self

        def iter(self, size):
            raise fails[0]

    monkeypatch.setattr(datasets.IterableDataset, "shard", lambda self, **options: Broken())
    reader = READERS["huggingface-stream"]
    with pytest.raises(AssayError, match=r"cannot be now \(Server Disconnected\)"):
        list(reader.read(parts[0], ReadOptions()))
    fails[0] = ValueError("no JSON")
    [reject] = reader.read(parts[0], ReadOptions())
    assert reject == Reject("shard 0 row 0", "bad_shard", "ValueError: no JSON", b"")
    monkeypatch.setattr(datasets.IterableDataset, "shard", shard)
    assert len(list(reader.read(parts[0], ReadOptions()))) == ROWS
