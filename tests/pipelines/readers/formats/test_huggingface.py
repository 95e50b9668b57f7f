"""Local datasets only: nothing here may reach the hub."""

import json
import os

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"

from pipelines.readers.formats import huggingface
from pipelines.readers.records import ReadOptions, Record
from weighting.errors import AssayError

datasets = pytest.importorskip("datasets")
TEXTS = [f"text {number}" for number in range(2500)]


@pytest.fixture(autouse=True)
def _local_only(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    yield
    huggingface.load.cache_clear()


def read_all(spec, target_bytes=2**20, options=ReadOptions()):
    path, name = huggingface.locate(spec) if spec.startswith("hf:") else (spec, "name")
    parts = huggingface.cut(path, name, target_bytes)
    return [item for part in parts for item in huggingface.read(part, options)]


@pytest.fixture
def saved(tmp_path):
    folder = tmp_path / "saved"
    rows = {"text": TEXTS, "n": list(range(len(TEXTS)))}
    datasets.Dataset.from_dict(rows).save_to_disk(folder)
    return folder


@pytest.mark.parametrize("target", [1, 5000, 10**9])
def test_a_saved_dataset_in_any_cut(saved, target):
    records = read_all(str(saved), target)
    assert [record.text for record in records] == TEXTS
    assert records[1234] == Record("row 1234", "text 1234", "saved", '{"n":1234}')


def test_an_empty_dataset_is_named(tmp_path):
    folder = tmp_path / "none"
    datasets.Dataset.from_dict({"text": []}).save_to_disk(folder)
    with pytest.raises(AssayError, match=f"{folder}: the dataset cannot be loaded"):
        read_all(str(folder))


def test_a_split_has_to_be_chosen_where_there_are_several(tmp_path):
    folder = tmp_path / "both"
    splits = {
        name: datasets.Dataset.from_dict({"text": [name]}) for name in ("train", "validation")
    }
    datasets.DatasetDict(splits).save_to_disk(folder)
    assert [record.text for record in read_all(f"hf:{folder}@train")] == ["train"]
    for spec in (f"hf:{folder}", f"hf:{folder}@test"):
        with pytest.raises(AssayError, match=r"choose one split; valid: .*@train, .*@validation"):
            read_all(spec)


def test_a_dataset_without_splits_has_none_to_choose(saved):
    assert len(read_all(f"hf:{saved}")) == len(TEXTS)
    with pytest.raises(AssayError, match=f"choose one split; valid: hf:{saved}$"):
        read_all(f"hf:{saved}@train")


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_a_folder_that_load_dataset_takes(tmp_path, kind):
    folder = tmp_path / "data"
    folder.mkdir()
    rows = datasets.Dataset.from_dict({"text": TEXTS[:10]})
    if kind == "jsonl":
        lines = (json.dumps({"text": text}) for text in TEXTS[:10])
        (folder / "train.jsonl").write_text("\n".join(lines))
    else:
        rows.to_parquet(folder / "train.parquet")
    records = read_all(f"hf:{folder}")
    assert [(record.text, record.source) for record in records] == [
        (text, "data") for text in TEXTS[:10]
    ]


def test_a_missing_column_is_one_reject(saved):
    [reject] = read_all(str(saved), 1000, ReadOptions(text_field="body"))
    message = "no column 'body'; there is text, n; set read.text_field = \"text\""
    assert reject[:3] == ("file", "missing_field", message)


def test_nulls_are_rejected_and_the_rest_kept(tmp_path):
    rows = datasets.Dataset.from_dict({"text": ["a", None, "c"]})
    rows.save_to_disk(tmp_path / "nulls")
    first, second, third = read_all(str(tmp_path / "nulls"))
    assert (first.text, third.text) == ("a", "c")
    assert second[:2] == ("row 1", "missing_field")


@pytest.mark.parametrize("spec", ["hf:no/such", "hf:no/such:config@train"])
def test_what_cannot_be_loaded_is_named(spec):
    with pytest.raises(AssayError, match=f"{spec}: the dataset cannot be loaded"):
        read_all(spec)


def test_specs_name_datasets_by_their_folder(saved, monkeypatch):
    monkeypatch.chdir(saved.parent)
    assert huggingface.locate("hf:saved@train") == (f"hf:{saved}@train", "saved@train")
    assert huggingface.locate("hf:org/name:part@train") == ("hf:org/name:part@train",) * 2
    assert huggingface.Spec.parse("hf:org/name:part@train") == ("org/name", "part", "train")


def test_digest_follows_the_content(saved, tmp_path):
    size, content = huggingface.digest(str(saved))
    assert size > sum(map(len, TEXTS))
    datasets.Dataset.from_dict({"text": ["other"]}).save_to_disk(tmp_path / "other")
    assert huggingface.digest(str(tmp_path / "other"))[1] != content


def test_telemetry_is_off():
    huggingface.open_library()
    assert os.environ["HF_HUB_DISABLE_TELEMETRY"] == "1"
