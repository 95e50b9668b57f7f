"""Bad input at the command line: one clear line, exit code 2, and nothing half-written."""

import errno
import json
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from tests.trainer.conftest import TOKENIZER, VOCAB, draw_documents, to_tokens, weigh_by_id
from trainer.cli import main
from weighting.contracts.shard_info import METADATA_KEY
from weighting.contracts.shards import ShardInfo, write_shard

TINY = (
    *("--steps=4", "--warmup=1", "--batch=2", "--layers=1", "--width=16", "--heads=2"),
    *("--context=8", "--eval-every=2", "--log-every=2", "--save-every=2", "--threads=1"),
    "--device=cpu",
)
FULL = "No space left on device"


@pytest.fixture
def refuse(capsys):
    """Run a command that must be refused; return its one line without the prefix."""

    def run(*argv: object) -> str:
        capsys.readouterr()
        code = main([str(part) for part in argv])
        return read_line(capsys.readouterr().err, code)

    return run


def read_line(said: str, code: int) -> str:
    """The one line; documents of `corpus` have no end of text, which is told before it."""
    assert code == 2, said
    said = re.sub(r"trainer: warning: [^\n]+ end-of-text [^\n]+\n", "", said)
    assert re.fullmatch(r"trainer: [^\n]+\n", said), said
    return said.removeprefix("trainer: ")


def train(corpus: Path, out: Path, *flags: str) -> list[str]:
    return ["train", "--shards", str(corpus), "--out", str(out), *TINY, *flags]


def read_tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def read_tensors(run: Path) -> dict[str, bytes]:
    """All checkpoints' tensors; their records name the place of the shards."""
    found = {n: b for n, b in read_tree(run / "checkpoints").items() if n.endswith(".safetensors")}
    assert len(found) == 6
    return found


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """The folder of a finished run on shards like those of `corpus`."""
    folder = tmp_path_factory.mktemp("finished")
    for split, seed, count in (("train", 0, 24), ("validation", 1, 6)):
        info = ShardInfo(TOKENIZER, VOCAB, 0, split, "test")
        tokens = to_tokens(split, draw_documents(seed, count), weigh_by_id)
        write_shard(folder / "shards" / f"{split}-00000.arrow", info, [tokens])
    assert main(train(folder / "shards", folder / "out")) == 0
    return folder / "out"


@pytest.fixture
def trained(finished, tmp_path) -> Path:
    """A finished run on `corpus`, to damage."""
    return Path(shutil.copytree(finished, tmp_path / "out"))


# Shards


def remove_all(folder):
    for path in folder.iterdir():
        path.unlink()


def break_version(folder):
    write_shard(folder / "train-00000.arrow", ShardInfo("0", 32, 0, "train", "t", {}, 99), [])


def break_metadata(folder):
    rewrite(folder / "train-00000.arrow", lambda table: table.replace_schema_metadata(None))


def break_fields(folder):
    given = {METADATA_KEY: json.dumps({"schema_version": 1, "vocab_size": 32})}
    rewrite(folder / "train-00000.arrow", lambda table: table.replace_schema_metadata(given))


def break_tokenizer(folder):
    write_shard(folder / "train-00001.arrow", ShardInfo("1" * 64, 32, 0, "train", "t"), [])


def break_vocabulary(folder):
    write_shard(folder / "train-00001.arrow", ShardInfo("0" * 64, 33, 0, "train", "t"), [])


def truncate(folder):
    path = folder / "train-00000.arrow"
    path.write_bytes(path.read_bytes()[:-100])


def leave_nothing(folder):
    (folder / "train-00000.arrow").write_bytes(b"")


def empty_validation(folder):
    info = ShardInfo("0" * 64, 32, 0, "validation", "t")
    write_shard(folder / "validation-00000.arrow", info, [])


def remove_validation(folder):
    (folder / "validation-00000.arrow").unlink()


def write_value(column, value):
    """Return what puts `value` at the third token, past the checks of the writer."""

    def damage(folder):
        def edit(table):
            place = table.schema.get_field_index(column)
            chunk = table.column(column).combine_chunks()
            values = chunk.values.to_numpy().copy()
            values[2] = value
            array = pa.ListArray.from_arrays(chunk.offsets, pa.array(values), type=chunk.type)
            return table.set_column(place, table.schema.field(column), array)

        rewrite(folder / "train-00000.arrow", edit)

    return damage


def rewrite(path, edit):
    with pa.ipc.open_file(path) as reader:
        table = edit(reader.read_all())
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)


@pytest.mark.parametrize("command", ["train", "ablate"])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (remove_all, "shards: no shards here; give a folder with train-*.arrow files"),
        (break_version, "train-00000.arrow: shard of schema version 99, this code reads 1"),
        (break_metadata, "train-00000.arrow: does not say which tokenizer its ids are of"),
        (break_fields, "train-00000.arrow: "),
        (truncate, "train-00000.arrow: not a whole Arrow IPC file"),
        (leave_nothing, "train-00000.arrow: neither an Arrow IPC nor a Parquet file (it is empty)"),
        (break_tokenizer, "train-00001.arrow: tokenizer_sha256 is 1111"),
        (break_vocabulary, "train-00001.arrow: vocab_size is 33, but 32 in train-00000.arrow"),
        (empty_validation, "shards: empty validation split"),
        (remove_validation, "shards: empty validation split"),
        (write_value("weights", np.nan), "document train-0 (row 0): token 2 has weight nan"),
        (write_value("weights", -1.0), "document train-0 (row 0): token 2 has weight -1"),
        (write_value("weights", np.inf), "document train-0 (row 0): token 2 has weight inf"),
        (write_value("input_ids", 40), "document train-0 (row 0): token 2 has id 40"),
    ],
)
def test_bad_shards(corpus, tmp_path, refuse, command, damage, message):
    damage(corpus)
    out = tmp_path / "out"
    assert message in refuse(command, "--shards", corpus, "--out", out, *TINY)
    assert not out.exists()


# Data and model that do not fit


@pytest.mark.parametrize("command", ["train", "ablate"])
def test_a_vocabulary_larger_than_the_model(corpus, tmp_path, refuse, command):
    line = refuse(command, "--shards", corpus, "--out", tmp_path / "out", *TINY, "--vocab=31")
    assert "vocabulary (32) is larger than the model's (vocab 31); make vocab at least 32" in line
    assert not (tmp_path / "out").exists()


def test_a_tokenizer_that_is_not_the_shards(corpus, tmp_path, refuse):
    path = tmp_path / "tokenizer.json"
    path.write_text("{}")
    line = refuse(*train(corpus, tmp_path / "out", f"--tokenizer={path}"))
    assert f"{path}: not the tokenizer of the shards, whose SHA-256 is 0000" in line
    line = refuse(*train(corpus, tmp_path / "out", "--tokenizer=nowhere.json"))
    assert "nowhere.json: no such file" in line
    assert not (tmp_path / "out").exists()


def test_shards_of_another_tokenizer_than_the_run(trained, write_corpus, refuse):
    other = write_corpus("other", tokenizer="1" * 64)
    before = read_tree(trained)
    assert "tokenizer_sha256" in refuse(*train(other, trained))
    (trained / "result.json").unlink()
    assert f"tokenizer_sha256 {'0' * 64}, now" in refuse(*train(other, trained))
    line = refuse("eval", trained, "--shards", other)
    assert f"{other}: of another tokenizer than the run {trained}" in line
    assert read_tree(trained) == {n: b for n, b in before.items() if n != "result.json"}


# Damaged checkpoints


def newest(run: Path) -> Path:
    return max((run / "checkpoints").iterdir())


def cut(name):
    def damage(checkpoint):
        path = checkpoint / name
        path.write_bytes(path.read_bytes()[:-10])

    return damage


def lose(name):
    return lambda checkpoint: (checkpoint / name).unlink()


def replace_record(content):
    return lambda checkpoint: (checkpoint / "record.json").write_text(content)


def widen_model(checkpoint):
    path = checkpoint / "model.safetensors"
    tensors = load_file(path)
    save_file(tensors | {"head.weight": torch.zeros(40, 16)}, path)


OF_THE_MODEL = [
    (cut("model.safetensors"), "model.safetensors: damaged"),
    (lose("model.safetensors"), "model.safetensors: "),
    (widen_model, "step-00000004: of another model"),
    (cut("record.json"), "record.json: not JSON"),
    (lose("record.json"), "record.json: no such file"),
    (replace_record("[]"), "step-00000004: not a checkpoint of format"),
    (replace_record("{}"), "step-00000004: not a checkpoint of format"),
    (replace_record('{"format": 99}'), "step-00000004: not a checkpoint of format"),
]
OF_THE_OPTIMIZER = [
    (cut("optimizer.safetensors"), "optimizer.safetensors: damaged"),
    (lose("optimizer.safetensors"), "optimizer.safetensors: "),
]


@pytest.mark.parametrize(("damage", "message"), [*OF_THE_MODEL, *OF_THE_OPTIMIZER])
def test_resuming_from_a_damaged_checkpoint(corpus, trained, refuse, damage, message):
    (trained / "result.json").unlink()
    damage(newest(trained))
    before = read_tree(trained)
    assert message in refuse(*train(corpus, trained))
    assert read_tree(trained) == before


@pytest.mark.parametrize(("damage", "message"), OF_THE_MODEL)
def test_reading_a_damaged_checkpoint(trained, tmp_path, refuse, damage, message):
    damage(newest(trained))
    assert message in refuse("eval", trained)
    assert message in refuse("export", trained, "--out", tmp_path / "exported")
    assert not (tmp_path / "exported").exists()


def test_the_way_out_that_the_line_names(corpus, trained, finished, refuse):
    (trained / "result.json").unlink()
    cut("model.safetensors")(newest(trained))
    line = refuse(*train(corpus, trained))
    named = re.search(r"remove (\S+) to resume from the one before", line)
    assert named
    shutil.rmtree(trained / "checkpoints" / named[1])
    assert main(train(corpus, trained)) == 0
    assert read_tensors(trained) == read_tensors(finished)


# A full disk


def full_for_python(*_args, **_more):
    raise OSError(errno.ENOSPC, FULL)


def full_for_safetensors(*_args, **_more):
    raise SafetensorError(f"Error while serializing: I/O error: {FULL} (os error 28)")


@pytest.mark.parametrize(
    ("target", "full"),
    [
        ("trainer.run.checkpoint.save_file", full_for_safetensors),
        ("trainer.run.checkpoint.sync", full_for_python),
        ("trainer.run.loop.append_row", full_for_python),
        ("trainer.run.train.write_record", full_for_python),
        ("weighting.storage.files.sync", full_for_python),
    ],
)
def test_no_space_left(corpus, tmp_path, finished, refuse, monkeypatch, target, full):
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(target, full)
        line = refuse(*train(corpus, out))
    assert FULL in line
    assert str(out) in line
    assert_nothing_half_written(out)
    assert main(train(corpus, out)) == 0
    assert read_tensors(out) == read_tensors(finished)


def test_no_space_left_for_an_export(trained, tmp_path, refuse, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("trainer.export.sync", full_for_python)
        line = refuse("export", trained, "--out", tmp_path / "new" / "exported", "--model-only")
    assert f"exported: cannot be written ({FULL})" in line
    assert not list((tmp_path / "new").rglob("*"))
    command = ["export", str(trained), "--out", str(tmp_path / "new" / "exported")]
    assert main([*command, "--model-only"]) == 0


@pytest.mark.slow
def test_files_that_may_not_grow(corpus, tmp_path, finished):
    """The real thing: the system takes 6,000 bytes of a file, fewer than the parameters need."""

    def lower() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, 6_000))

    out = tmp_path / "out"
    command = [sys.executable, "-m", "trainer", *train(corpus, out)]
    ended = subprocess.run(command, capture_output=True, text=True, preexec_fn=lower, check=False)
    assert "File too large" in read_line(ended.stderr, ended.returncode)
    assert_nothing_half_written(out)
    assert main(train(corpus, out)) == 0
    assert read_tensors(out) == read_tensors(finished)


def assert_nothing_half_written(run: Path) -> None:
    """Whatever is there under a name that counts is whole."""
    tensors = ("model", "optimizer", "targets")
    names = {"record.json", *(f"{name}.safetensors" for name in tensors)}
    for checkpoint in run.glob("checkpoints/step-*"):
        assert {path.name for path in checkpoint.iterdir()} == names
        load_file(checkpoint / "model.safetensors")
    assert not (run / "result.json").exists()
