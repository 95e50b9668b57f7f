"""All commands: what bad input gets, in one line."""

import shutil

import pytest

from tests.flows.invoking import call, invoke
from weighting.errors import AssayError
from weighting.storage.files import read_json, write_json


def read_all(run):
    """Every file of a run but its log, with its bytes."""
    paths = (path for path in run.rglob("*") if path.is_file() and path.name != "log.jsonl")
    return {path: path.read_bytes() for path in paths}


@pytest.mark.parametrize("command", ["query", "report", "verify", "replay", "curate"])
@pytest.mark.parametrize("damage", ["manifest", "claim"])
def test_a_run_of_another_version_is_told(finished, small_corpus, tmp_path, command, damage):
    copy = tmp_path / "copy"
    shutil.copytree(finished[0], copy)
    manifest, claim = read_json(copy / "manifest.json"), read_json(copy / "run.json")
    write_json(copy / "manifest.json", manifest | {"manifest_version": 1})
    (copy / "stats" / "rule_overlap.parquet").unlink()
    if damage == "claim":  # as of a recipe with tables of which this version knows nothing
        changed = {"recipe": claim["recipe"] | {"clean": {"old": True}}, "code": "older"}
        write_json(copy / "run.json", claim | changed)
    before = read_all(copy)
    arguments = {"query": [copy, "FROM rules"], "curate": [*small_corpus, "--out", copy]}
    message = "made by another version of assay.*--overwrite|a run of other recipe and code"
    with pytest.raises(AssayError, match=message) as caught:
        invoke(command, *arguments.get(command, [copy]))
    assert caught.value.exit_code == 2
    assert before == read_all(copy)


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
