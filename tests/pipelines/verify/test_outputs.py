"""The manifest's list of files: every output with its rows and checksum, and nothing else."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from pipelines.verify.outputs import OUTPUTS, list_files
from weighting.contracts.documents import write_table
from weighting.contracts.shards import ShardInfo, Tokens, write_shard
from weighting.contracts.statistics import SKIPPED_STATS
from weighting.storage.files import sha256, write_text


@pytest.fixture
def run(tmp_path):
    """A run folder with a file of each kind."""
    write_text(tmp_path / "tokenizer.json", "{}")
    table = pa.table([[0, 1], ["a", "b"], [1, 2]], SKIPPED_STATS)
    write_table(tmp_path / "stats" / "skipped.parquet", table, SKIPPED_STATS)
    tokens = Tokens(
        doc_ids=["d", "e"],
        sources=["s", "s"],
        offsets_D1=np.array([0, 2, 5]),
        ids_N=np.arange(5, dtype=np.uint32),
        weights_N=np.array([0.5, 1.5, 1, 1, 1], np.float32),
        reasons_N=np.zeros(5, np.uint8),
    )
    info = ShardInfo("ab", 300, 4, "train", "soft")
    write_shard(tmp_path / "shards" / "train-000000.arrow", info, [tokens])
    write_text(tmp_path / "quarantine" / "000000.jsonl.zst", "packed")
    (tmp_path / "index").mkdir()
    batch = pa.record_batch([[1, 2, 3]], names=["key"])
    with pa.ipc.new_file(str(tmp_path / "index" / "bands-000000.arrow"), batch.schema) as writer:
        writer.write_batch(batch)
    write_text(tmp_path / "reference" / "model" / "config.json", "{}")
    return tmp_path


def test_every_output_is_listed_with_its_checksum(run):
    entries = {entry.path: entry for entry in list_files(run)}
    assert set(entries) == {
        "tokenizer.json",
        "index/bands-000000.arrow",
        "quarantine/000000.jsonl.zst",
        "reference/model/config.json",
        "shards/train-000000.arrow",
        "stats/skipped.parquet",
    }
    assert all(entry.sha256 == sha256(run / path) for path, entry in entries.items())


def test_rows_tokens_and_weights_are_told_where_there_are_any(run):
    entries = {entry.path: entry for entry in list_files(run)}
    assert entries["stats/skipped.parquet"].rows == 2
    assert entries["index/bands-000000.arrow"].rows == 3
    shard = entries["shards/train-000000.arrow"]
    assert (shard.rows, shard.tokens, shard.weight_mass) == (2, 5, 5.0)
    assert entries["quarantine/000000.jsonl.zst"].rows == 0


def test_the_order_is_that_of_the_folders_then_of_names(run):
    folders = [entry.path.split("/")[0] for entry in list_files(run)]
    assert folders[0] == "tokenizer.json"
    places = [OUTPUTS.index(folder) for folder in folders[1:]]
    assert places == sorted(places)


def test_what_a_killed_worker_left_is_removed(run):
    left = run / "shards" / ".train-000001.arrow.77.tmp"
    left.write_bytes(b"half")
    assert not any(".tmp" in entry.path for entry in list_files(run))
    assert not left.exists()


def test_files_beside_the_outputs_are_not_listed(run):
    for name in ("run.json", "assay.duckdb", "report.html", "stages/curate.json", "units/a.npy"):
        write_text(run / name, "x")
    assert len(list_files(run)) == 6


def test_known_files_are_not_read_again(run):
    path = "stats/skipped.parquet"
    (entry,) = (entry for entry in list_files(run) if entry.path == path)
    known = replace(entry, sha256="known")
    (run / path).write_bytes(b"something else")
    assert known in list_files(run, {path: known})
