"""Checksums of all files: every bad, missing and foreign one is named, not the first alone."""

import io

import pytest
from rich.console import Console

from pipelines.verify.checksums import FOREIGN, describe_faults, list_faults
from weighting.contracts.manifest import describe_file


@pytest.fixture
def run(tmp_path):
    """A folder with five outputs, and their entries."""
    paths = [tmp_path / name for name in ("tokenizer.json", "shards/a.arrow", "shards/b.arrow")]
    paths += [tmp_path / name for name in ("ledger/0.parquet", "reference/model/1.json")]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name)
    return tmp_path, [describe_file(tmp_path, path, rows=1) for path in paths]


def find(run, files):
    return list_faults(run, files, Console(file=io.StringIO()))


def test_a_whole_run_has_no_faults(run):
    folder, files = run
    for name in ("report.html", "log.jsonl", "notes.txt"):  # nothing that a stage writes
        (folder / name).touch()
    assert find(folder, files) == []


def test_every_fault_is_named(run):
    folder, files = run
    (folder / "shards" / "a.arrow").write_text("bytes of another")
    (folder / "ledger" / "0.parquet").unlink()
    (folder / "reference" / "model" / "1.json").unlink()
    (folder / "reference" / "model" / "1.json").mkdir()
    (folder / "shards" / "c.arrow").touch()
    faults = find(folder, files)
    assert faults == [
        ("ledger/0.parquet", "named in the manifest, missing on disk"),
        ("reference/model/1.json", "cannot be read (Is a directory)"),
        ("shards/a.arrow", "bytes differ from the manifest's checksum"),
        ("shards/c.arrow", FOREIGN),
    ]
    told = str(describe_faults(folder, faults, len(files)))
    assert "3 of 5 files are missing or have other bytes and 1 foreign file in its folders" in told
    alone = describe_faults(folder, faults[-1:], len(files))
    assert str(alone).endswith(": 1 foreign file in its folders")
    assert alone.exit_code == 2
