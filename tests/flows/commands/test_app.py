"""The assay command on small corpora: whole runs, second runs, and what bad input gets."""

import json
import shutil
import signal
import subprocess
import sys
import time

import duckdb
import pytest
from typer.testing import CliRunner

from flows.commands.app import app
from flows.recipe.sources import list_presets, load_recipe
from flows.run.folder import open_run
from weighting.contracts.manifest import check_files, read_manifest
from weighting.errors import AssayError
from weighting.storage.files import read_json, write_json

PROSE = "The dog and the cat have to be with that other animal of the house. "


def invoke(*arguments):
    """Run the command in this process; raise what it raises."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def call(*arguments, **options):
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "flows.commands.app", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


@pytest.fixture(scope="module")
def finished(small_corpus, tmp_path_factory):
    """A finished run, and what the command printed."""
    run = tmp_path_factory.mktemp("runs") / "run"
    return run, invoke("curate", *small_corpus, "--out", run).output


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
    output = invoke("curate", *reversed(small_corpus), "--out", run).output
    assert output.count("skipped") == 6
    assert before == {path: path.stat().st_mtime_ns for path in run.rglob("*.arrow")}


def test_the_database_answers_the_three_questions(finished):
    run, _ = finished
    with duckdb.connect(str(run / "assay.duckdb"), read_only=True) as connection:

        def ask(sql):
            return connection.execute(sql).fetchall()

        heaviest = ask("select token, mean_weight from tokens order by mean_weight desc limit 20")
        rules = ask("select rule, tokens from rules where documents > 0")
        sources = ask("select source, sum(weight_mass) from sources group by source")
        ledger = ask("select count(*) from ledger")
    assert len(heaviest) == 20
    assert [rule for rule, tokens in rules if tokens > 0] == ["gopher_words"]
    assert sorted(source for source, _ in sources) == ["s0", "s1", "s2"]
    assert ledger == [(68,)]


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


def test_query_prints_a_table(finished):
    run, _ = finished
    output = invoke("query", run, "select count(*) as records from ledger").output
    assert "records" in output
    assert "68" in output
    rows = invoke("query", run, "select 1 as one", "--format", "json").output
    assert json.loads(rows.splitlines()[0]) in ({"one": 1}, [{"one": 1}])


def test_another_recipe_or_corpus_does_not_touch_the_run(finished, small_corpus):
    run, _ = finished
    before = read_manifest(run)
    with pytest.raises(AssayError, match="a run of other recipe"):
        invoke("curate", *small_corpus, "--out", run, "--recipe", "minimal")
    with pytest.raises(AssayError, match="a run of other inputs"):
        invoke("curate", small_corpus[0], "--out", run)
    assert read_manifest(run) == before


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


def test_recipes_are_shown_and_checked(tmp_path):
    listed = invoke("recipe", "show").output
    assert [line.split()[0] for line in listed.splitlines() if line[0] != " "] == list_presets()
    path = tmp_path / "mine.toml"
    path.write_text(invoke("recipe", "show", "gopher").output)
    assert load_recipe(str(path)) == load_recipe("gopher")
    assert "gopher is valid: 21 rules drop" in invoke("recipe", "check", path).output
    path.write_text('[read]\ntext = 1\n[split]\nvalidation = "x"')
    result = invoke("recipe", "check", path)
    assert result.exit_code == 2
    assert [line.split(":")[0] for line in result.output.splitlines()] == [
        "name", "read.text", "split.validation",
    ]  # fmt: skip
    with pytest.raises(AssayError, match=r"name: missing \(and 2 more: assay recipe check"):
        invoke("recipe", "show", path)


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


def test_check_compares_every_checksum(finished, tmp_path):
    run, _ = finished
    assert "every checksum right" in invoke("check", run).output
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    (copy / "tokenizer.json").write_text("{}")
    with pytest.raises(AssayError, match=r"tokenizer\.json: bytes differ"):
        invoke("check", copy)


@pytest.mark.parametrize("command", ["query", "report", "check", "replay", "curate"])
@pytest.mark.parametrize("damage", ["manifest", "claim"])
def test_a_run_of_another_version_is_told(finished, small_corpus, tmp_path, command, damage):
    copy = tmp_path / "copy"
    shutil.copytree(finished[0], copy)
    manifest, claim = read_json(copy / "manifest.json"), read_json(copy / "run.json")
    write_json(copy / "manifest.json", manifest | {"manifest_version": 1})
    (copy / "stats" / "rule_overlap.parquet").unlink()
    if damage == "claim":  # as of a recipe with tables of which this version knows nothing
        changed = {"recipe": claim["recipe"] | {"clean": {"old": True}}, "code": "older"}
        write_json(copy / "run.json", claim | changed | {"fingerprint": "older"})
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    arguments = {"query": [copy, "FROM rules"], "curate": [*small_corpus, "--out", copy]}
    message = "made by another version of assay.*--overwrite|a run of other recipe and code"
    with pytest.raises(AssayError, match=message) as caught:
        invoke(command, *arguments.get(command, [copy]))
    assert caught.value.exit_code == 2
    assert before == {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}


def test_too_many_bad_records_fail_after_the_quarantine_is_written(tmp_path):
    lines = [json.dumps({"text": PROSE * 6}), *["broken {"] * 3]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    with pytest.raises(AssayError, match=r"3 of 4 records could not be read.*max_quarantined"):
        invoke("curate", tmp_path / "a.jsonl", "--out", tmp_path / "run")
    assert list((tmp_path / "run" / "quarantine").glob("*.zst"))
    assert not (tmp_path / "run" / "manifest.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["curate", "nowhere.jsonl", "--out", "run"], "nowhere.jsonl: no such file"),
        (["curate", "empty.jsonl", "--out", "run"], "no record$"),
        (["curate", "notes.warc", "--out", "run"], "no record; 1 stored records .*: 1 warcinfo$"),
        (["curate", "empty.jsonl", "--out", "run", "--recipe", "gofer"], "no recipe 'gofer'"),
        (["query", "nowhere", "select 1"], "nowhere"),
        (["report", "nowhere"], "no run of assay"),
        (["curate", "empty.jsonl", "--out", "run", "--beam=--runner=DaskRunner"], "DaskRunner"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.jsonl").write_text("")
    head = "WARC/1.0\r\nWARC-Type: warcinfo\r\nContent-Length: 2\r\n\r\n"
    (tmp_path / "notes.warc").write_bytes(f"{head}ab\r\n\r\n".encode())
    with pytest.raises(AssayError, match=message) as caught:
        invoke(*arguments)
    assert caught.value.exit_code == 2
    assert not (tmp_path / "run" / "manifest.json").exists()


def test_the_process_prints_one_line_and_exits_with_2(tmp_path):
    done = call("curate", tmp_path / "nowhere.jsonl", "--out", tmp_path / "run")
    assert done.returncode == 2
    assert done.stderr.startswith("assay: ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.workers
def test_an_interrupted_run_stops_soon_and_goes_on_to_the_same_bytes(make_corpus, tmp_path):
    corpus = make_corpus(tmp_path / "corpus", documents=600)
    run, other = tmp_path / "run", tmp_path / "other"
    curate = [
        sys.executable,
        "-m",
        "flows.commands.app",
        "curate",
        *map(str, corpus),
        "--out",
        str(run),
    ]
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
    assert open_run(run).fingerprint == open_run(other).fingerprint
