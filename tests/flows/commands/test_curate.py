"""`assay curate` on small corpora: whole runs, second runs, and what is never touched."""

import json
import shutil
import signal
import subprocess
import sys
import time

import pytest

from flows.run.folder import open_run
from tests.flows.invoking import invoke
from weighting.contracts.manifest import check_files, read_manifest
from weighting.errors import AssayError

PROSE = "The dog and the cat have to be with that other animal of the house. "


def test_a_run_has_everything_the_manifest_names(finished):
    run, output = finished
    manifest = read_manifest(run)
    check_files(run, manifest.files)
    assert manifest.counts.documents.records.kept == 60
    assert manifest.recipe["name"] == "gopher"
    assert [entry.name for entry in manifest.inputs] == ["a.jsonl", "b.jsonl"]
    assert manifest.counts.documents.encoders == ["gigatoken"]
    assert not (run / "units").exists()
    assert (run / "report.html").stat().st_size > 10_000
    assert "60" in output


def test_the_second_time_everything_is_skipped(finished, small_corpus):
    run, _ = finished
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*.arrow")}
    output = invoke("curate", *reversed(small_corpus), "--out", run)
    assert output.count("skipped") == 6
    assert before == {path: path.stat().st_mtime_ns for path in run.rglob("*.arrow")}


def test_datasets_opens_the_shards(finished, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path))
    import datasets

    run, _ = finished
    files = {"train": str(run / "shards" / "train-*.arrow")}
    loaded = datasets.load_dataset("arrow", data_files=files, cache_dir=str(tmp_path))["train"]
    row = loaded[0]
    assert len(row["input_ids"]) == len(row["weights"]) == len(row["reasons"])
    assert (
        sum(map(len, loaded["input_ids"]))
        == read_manifest(run).counts.weights.splits["train"].tokens
    )


def test_another_recipe_or_corpus_does_not_touch_the_run(finished, small_corpus):
    run, _ = finished
    before = read_manifest(run)
    with pytest.raises(AssayError, match="a run of other recipe"):
        invoke("curate", *small_corpus, "--out", run, "--recipe", "minimal")
    with pytest.raises(AssayError, match="a run of other inputs"):
        invoke("curate", small_corpus[0], "--out", run)
    assert read_manifest(run) == before


@pytest.mark.slow
def test_overwrite_replaces_a_run(small_corpus, tmp_path):
    invoke("curate", small_corpus[0], "--out", tmp_path / "run", "--recipe", "minimal")
    first = read_manifest(tmp_path / "run")
    invoke(
        "curate", small_corpus[1], "--out", tmp_path / "run", "--recipe", "minimal", "--overwrite"
    )
    assert read_manifest(tmp_path / "run").inputs != first.inputs


def test_a_tokenizer_of_the_user_is_used_and_is_part_of_the_run(finished, small_corpus, tmp_path):
    tokenizer = tmp_path / "mine.json"
    shutil.copy(finished[0] / "tokenizer.json", tokenizer)
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(f'name = "x"\n[tokenizer]\npath = "{tokenizer}"')
    invoke("curate", *small_corpus, "--out", tmp_path / "run", "--recipe", recipe)
    used = read_manifest(tmp_path / "run").tokenizer.sha256
    assert used == read_manifest(finished[0]).tokenizer.sha256
    tokenizer.write_text(tokenizer.read_text() + "\n")
    with pytest.raises(AssayError, match="a run of other inputs"):
        invoke("curate", *small_corpus, "--out", tmp_path / "run", "--recipe", recipe)
    tokenizer.unlink()
    with pytest.raises(AssayError, match=r"tokenizer\.path: no such file: .*mine\.json"):
        invoke("curate", *small_corpus, "--out", tmp_path / "other", "--recipe", recipe)


def test_a_list_of_the_recipe_is_part_of_the_run(small_corpus, tmp_path):
    (tmp_path / "words.txt").write_text("murderer of the\n")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        'name = "x"\n[rule_options]\nbad_words = { en = "words.txt" }\n'
        "[rules]\nc4_bad_words = { max = 0 }\n[tokenizer]\nvocab_size = 300\n"
    )
    run = tmp_path / "run"
    invoke("curate", small_corpus[0], "--out", run, "--recipe", recipe)
    manifest = read_manifest(run)
    assert manifest.counts.documents.rules["c4_bad_words"].failing_documents > 0
    assert manifest.inputs[-1].name == "rule_options.bad_words.en words.txt"
    (tmp_path / "words.txt").write_text("microwave\n")
    with pytest.raises(AssayError, match="a run of other inputs"):
        invoke("curate", small_corpus[0], "--out", run, "--recipe", recipe)


def test_a_folder_of_something_else_is_never_written_to(small_corpus, tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(AssayError, match="no run of assay"):
        invoke("curate", *small_corpus, "--out", tmp_path, "--overwrite")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_missing_output_is_named(finished, small_corpus, tmp_path):
    run, _ = finished
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    (copy / "documents" / "000000.parquet").unlink()
    with pytest.raises(AssayError, match=r"000000\.parquet is named in manifest\.json and missing"):
        invoke("curate", *small_corpus, "--out", copy)


def test_too_many_bad_records_fail_after_the_quarantine_is_written(tmp_path):
    lines = [json.dumps({"text": PROSE * 6}), *["broken {"] * 3]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    with pytest.raises(AssayError, match=r"3 of 4 records could not be read.*max_quarantined"):
        invoke("curate", tmp_path / "a.jsonl", "--out", tmp_path / "run")
    assert list((tmp_path / "run" / "quarantine").glob("*.zst"))
    assert not (tmp_path / "run" / "manifest.json").exists()


@pytest.mark.slow
@pytest.mark.workers
def test_an_interrupted_run_stops_soon_and_goes_on_to_the_same_bytes(make_corpus, tmp_path):
    corpus = make_corpus(tmp_path / "corpus", documents=600)
    run, other = tmp_path / "run", tmp_path / "other"
    curate = [sys.executable, "-m", "flows", "curate", *map(str, corpus), "--out", str(run)]
    process = subprocess.Popen([*curate, "--workers", "2"], stdout=subprocess.DEVNULL)
    while process.poll() is None and not list(run.glob("units/*/clean/*.done.json")):
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 128 + signal.SIGTERM
    assert not (run / "manifest.json").exists()
    (run / "documents").mkdir(exist_ok=True)
    (run / "documents" / ".000000.parquet.1.tmp").write_bytes(b"left by a killed worker")
    for folder in (run, other):
        invoke("curate", *corpus, "--out", folder)
    assert read_manifest(run).files == read_manifest(other).files
    assert open_run(run).claim.fingerprint == open_run(other).claim.fingerprint
