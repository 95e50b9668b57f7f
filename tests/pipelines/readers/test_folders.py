"""Folders and globs: which files are found, and which are left out, with the reason."""

import json
import os
from pathlib import Path
from unicodedata import normalize

import fsspec
import pytest

from pipelines.readers.folders import DELTA, OUT, RUN, LeftOut, Search, is_run, split_glob
from pipelines.readers.inputs import expand
from weighting.contracts.claim import CLAIM
from weighting.errors import AssayError
from weighting.storage.lock import locking

CLAIMED = json.dumps({"inputs": [], "recipe": {}, "code": "abc"})


def write(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(CLAIMED if name.endswith(CLAIM) else '{"text": "x"}\n')


def found(*specs, out=None):
    return [item.name for item in expand(map(str, specs), out=out and str(out)).found]


@pytest.fixture
def corpus(tmp_path):
    write(tmp_path, "c/a.jsonl", "c/b/c.jsonl", "c/runs/a/run.json", "c/runs/a/log.jsonl")
    write(tmp_path, "c/runs/a/documents/d.jsonl")
    return tmp_path / "c"


@pytest.mark.parametrize("end", ["", "**", "**/*", "**/*.json*", "*"])
def test_runs_are_left_out_of_folders_and_globs(corpus, end):
    paths, _, left_out = expand([f"{corpus}/{end}"])
    assert [item.name for item in paths] == ["a.jsonl", "b/c.jsonl"]
    assert left_out == [LeftOut(f"{corpus}/runs/a", RUN)]


def test_a_folder_in_a_run_is_an_input_where_it_is_named(corpus):
    assert found(corpus / "runs/a/documents") == ["d.jsonl"]
    assert found(corpus / "runs/a/doc*/*.jsonl") == ["d.jsonl"]
    assert found(corpus / "runs/a/log.jsonl") == ["log.jsonl"]


def test_a_run_itself_is_refused(corpus):
    with pytest.raises(AssayError, match=r"runs/a is a run of assay; name .* documents"):
        expand([f"{corpus}/runs/a"])
    with pytest.raises(AssayError, match=r"runs/\*: nothing to read is there; left out .*runs/a"):
        expand([f"{corpus}/runs/*"])


def test_data_named_as_a_claim_is_data(tmp_path):
    (tmp_path / "run.json").write_text('{"text": "a run along the river"}')
    assert found(tmp_path) == ["run.json"]


def test_the_output_is_left_out_also_before_it_is_claimed(corpus, monkeypatch):
    write(corpus, "runs/b/log.jsonl")
    monkeypatch.chdir(corpus)
    assert found(".", out="runs/b") == ["a.jsonl", "b/c.jsonl"]
    assert expand(["."], out="runs/b").left_out[1] == LeftOut(f"{corpus}/runs/b", OUT)
    (corpus / "link").symlink_to(corpus / "runs" / "b")
    assert found("**/*", out="link") == ["a.jsonl", "b/c.jsonl"]
    with pytest.raises(AssayError, match="the output of this run; name another --out"):
        expand([str(corpus)], out=str(corpus))


def test_a_folder_that_is_becoming_a_run_is_left_out(tmp_path):
    write(tmp_path, "a.jsonl", "b/log.jsonl")
    assert not is_run(tmp_path / "b")
    with locking(tmp_path / "b"):
        assert is_run(tmp_path / "b")
        assert found(tmp_path) == ["a.jsonl"]


def test_private_files_are_left_out_and_told_once(tmp_path):
    write(tmp_path, "a.jsonl", "_x.jsonl", "_temporary/0/b.jsonl", "_day=1/c.jsonl", "_empty/d.xyz")
    paths, ignored, left_out = expand([str(tmp_path)])
    assert [item.name for item in paths] == ["_day=1/c.jsonl", "a.jsonl"]
    assert ignored == []
    [one] = left_out
    assert one.path == f"{tmp_path}/_temporary"
    assert "and those of 1 more" in one.reason
    assert found(tmp_path / "_temporary") == ["b.jsonl"]
    assert found(tmp_path / "_*") == ["_day=1/c.jsonl", "_temporary/0/b.jsonl", "_x.jsonl"]


@pytest.mark.parametrize("end", ["", "*", "**/*"])
def test_a_delta_table_is_told(tmp_path, end):
    write(tmp_path, "part-0.jsonl", "_delta_log/0.json", "_delta_log/1.checkpoint.parquet")
    assert found(f"{tmp_path}/{end}") == ["part-0.jsonl"]
    assert expand([f"{tmp_path}/{end}"]).left_out == [LeftOut(f"{tmp_path}/_delta_log", DELTA)]


def test_remote_folders_are_searched_alike():
    memory = fsspec.filesystem("memory")
    names = ("a.jsonl", "_x/b.jsonl", ".y/c.jsonl", "_delta_log/0.json", "_d=1/e.jsonl")
    for name in (*names, "runs/a/log.jsonl"):
        memory.pipe(f"/alike/t/{name}", b'{"text": "x"}\n')
    memory.pipe("/alike/t/runs/a/run.json", CLAIMED.encode())
    paths, _, left_out = expand(["memory://alike/t"])
    assert [item.name for item in paths] == ["_d=1/e.jsonl", "a.jsonl"]
    assert [(one.path.removeprefix("memory:///alike/t/"), one.reason[:8]) for one in left_out] == [
        ("_delta_log", DELTA[:8]),
        ("_x", "private,"),
        ("runs/a", RUN[:8]),
    ]
    assert found("memory://alike/t/_*/*.jsonl") == ["_d=1/e.jsonl", "_x/b.jsonl"]
    assert found("memory://alike/t/.y/*.jsonl") == ["c.jsonl"]


@pytest.mark.parametrize(
    ("spec", "head", "pattern"),
    [
        ("[x] 1/*.jsonl", "[x] 1", ["*.jsonl"]),
        ("[x] 1", "[x] 1", []),
        ("none/*/a", ".", ["none", "*", "a"]),
        ("*.jsonl", ".", ["*.jsonl"]),
        ("none", "none", []),
        ("/*", "/", ["*"]),
    ],
)
def test_what_is_there_is_no_pattern(tmp_path, monkeypatch, spec, head, pattern):
    write(tmp_path, "[x] 1/a.jsonl", "x 1/b.jsonl")
    monkeypatch.chdir(tmp_path)
    assert split_glob(spec) == (head, pattern)
    if spec.startswith("["):
        assert found(spec) == ["a.jsonl"]


def test_local_urls_may_be_percent_encoded(tmp_path):
    write(tmp_path, "a b.jsonl", "c%20d.jsonl")
    assert found(f"file://{tmp_path}/a%20b.jsonl") == ["a b.jsonl"]
    assert found(f"file://{tmp_path}/a%20*.jsonl") == ["a b.jsonl"]
    assert found(f"file://{tmp_path}/c%20d.jsonl") == ["c%20d.jsonl"]
    assert found(f"local://{tmp_path}/*.jsonl") == ["a b.jsonl", "c%20d.jsonl"]


def test_links_in_circles_end(tmp_path):
    write(tmp_path, "a/b.jsonl")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    assert found(f"{tmp_path}/**/*.jsonl") == ["b.jsonl"]


def test_a_folder_that_cannot_be_listed_is_refused_by_globs_too(tmp_path, monkeypatch):
    write(tmp_path, "a/b.jsonl", "c/d.jsonl")
    listed = os.listdir

    def refusing(path):
        if Path(path).name == "c":
            raise PermissionError(13, "Permission denied", path)
        return listed(path)

    monkeypatch.setattr(os, "listdir", refusing)
    with pytest.raises(AssayError, match=r"c: the folder cannot be listed \(Permission denied\)"):
        expand([f"{tmp_path}/*/*.jsonl"])


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("spec", ["Müll/café.txt", "Müll", "M*/café.txt", "M?ll/ca*é.txt"])
def test_names_that_unicode_holds_equal_are_one_name(tmp_path, monkeypatch, form, spec):
    path = tmp_path / normalize("NFD", "Müll") / normalize("NFD", "café.txt")
    path.parent.mkdir()
    path.touch()
    monkeypatch.chdir(tmp_path)
    assert Search().find(normalize(form, spec)) == {str(path)}


def test_a_name_is_first_of_all_itself(tmp_path):
    both = {str(tmp_path / normalize(form, "é.txt")) for form in ("NFC", "NFD")}
    for path in both:
        Path(path).touch()
        assert Search().find(path) == {path}
    assert Search().find(f"{tmp_path}/é*") == both
    assert Search().find(f"{tmp_path}/ö.txt") == set()
    assert Search().find(f"{tmp_path}/ö/é.txt") == set()


def test_a_run_is_refused_however_its_name_is_spelt(tmp_path):
    write(tmp_path, normalize("NFD", "läufe/run.json"))
    with pytest.raises(AssayError, match="a run of assay"):
        Search().find(str(tmp_path / normalize("NFC", "läufe")))
