"""One stream whatever the files; each bad shard is one line that names it."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trainer.conftest import to_tokens
from tests.trainer.streams import documents_of, make_stream, sizes_of_documents
from trainer.data.corpus import expand, open_corpus
from weighting.contracts.shard_info import METADATA_KEY
from weighting.contracts.shards import ShardInfo, write_shard
from weighting.errors import AssayError


def test_expand_by_hand():
    owner, number = expand(np.array([7, 3, 5]), np.array([2, 0, 1]))
    assert (owner.tolist(), number.tolist()) == ([0, 0, 2], [7, 8, 5])


@given(sizes=sizes_of_documents, data=st.data())
def test_parts_of_a_cut_are_the_pieces_segment_by_segment(sizes, data):
    stream = make_stream(sizes)
    start = data.draw(st.integers(0, stream.tokens - 1))
    size = data.draw(st.integers(1, stream.tokens - start))
    piece_Q, segment_Q, start_Q, size_Q = stream.cut(np.array([start]), np.array([size]))
    ids = [
        number
        for segment, first, count in zip(segment_Q, start_Q, size_Q, strict=True)
        for number in stream.segments[segment].ids_N[first - stream.starts_S1[segment] :][:count]
    ]
    assert ids == list(range(start + 1, start + size + 1))
    assert not piece_Q.any()


@given(sizes=sizes_of_documents)
def test_documents_begin_where_segments_say(sizes):
    stream = make_stream(sizes)
    document_N = documents_of(sizes)
    begins = np.flatnonzero(np.diff(document_N, prepend=-1))
    assert stream.documents_D1.tolist() == [*begins, stream.tokens]


def test_locate_names_shard_and_document(write_corpus):
    folder = write_corpus(train=[[[1, 2], [], [3, 4, 5]], [[6, 7]]])
    stream = open_corpus(str(folder)).train
    found = [stream.locate(position) for position in range(stream.tokens)]
    names = [(path.name, document) for path, document in found]
    zero, one = "train-00000.arrow", "train-00001.arrow"
    expected = [(zero, "train-0")] * 2 + [(zero, "train-2")] * 3 + [(one, "train-0")] * 2
    assert names == expected


def test_every_token_is_counted_as_a_target(write_corpus):
    folder = write_corpus(train=[[[3, 3, 5], [3]]])
    counts = open_corpus(str(folder)).target_counts_V
    assert (counts[3], counts[5], counts.sum()) == (3, 1, 4)


@pytest.mark.parametrize(
    ("weights", "share", "uniform"),
    [([1, 1, 1, 1], 1.0, True), ([2, 0, 2, 0], 0.5, False), ([4, 0, 0, 0], 0.25, False)],
)
def test_weight_spread(write_corpus, weights, share, uniform):
    def weigh(ids_N):
        return np.resize(np.array(weights, np.float32), len(ids_N))

    folder = write_corpus(train=[[[1, 2, 3, 4]]], weigh=weigh)
    assert open_corpus(str(folder)).weight_spread == (share, uniform)


def changed(a: Path, b: Path) -> set[str]:
    one, other = (asdict(open_corpus(str(folder)).fingerprint) for folder in (a, b))
    return {name for name in one if one[name] != other[name]}


def test_files_and_record_batches_leave_no_trace_in_the_fingerprint(write_corpus):
    documents = [[1, 2, 3], [4, 5, 6, 7, 8], [], [9, 10]]
    one = write_corpus("one", train=[documents])
    many = write_corpus("many", train=[[d] for d in documents if d])
    assert changed(one, many) == set()


def test_weights_change_the_fingerprint_in_one_place(write_corpus):
    a, b = write_corpus("a"), write_corpus("b", weigh=np.ones_like)
    assert changed(a, b) == {"train_weights_crc32"}


def test_where_documents_end_changes_the_fingerprint_in_one_place(write_corpus):
    a = write_corpus("a", train=[[[1, 2, 3], [4, 5]]])
    b = write_corpus("b", train=[[[1, 2], [3, 4, 5]]])
    assert changed(a, b) == {"train_documents_crc32"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"validation": []}, r"empty validation split; .*split\.validation"),
        ({"validation": [[[]]]}, "empty validation split"),
        ({"train": [[[]]]}, "empty train split"),
    ],
)
def test_an_empty_split_is_named(write_corpus, change, message):
    folder = write_corpus(**change)
    with pytest.raises(AssayError, match=message):
        open_corpus(str(folder))


def test_weights_that_are_all_zero_are_refused(write_corpus):
    folder = write_corpus(weigh=lambda ids_N: np.zeros(len(ids_N), np.float32))
    with pytest.raises(AssayError, match="all training weights are 0"):
        open_corpus(str(folder))


def test_a_stray_copy_of_a_file_is_refused(write_corpus):
    folder = write_corpus(train=[[[1, 2]], [[3]], []])
    copy = folder / "train-00001 (copy).arrow"
    copy.write_bytes((folder / "train-00001.arrow").read_bytes())
    with pytest.raises(AssayError, match=r"holds the same tokens as train-00001 .copy"):
        open_corpus(str(folder))


def test_the_mean_weight_of_each_split(write_corpus):
    folder = write_corpus(train=[[[4, 1], [5]]], validation=[[[2, 3]]])  # 0.5, 0.75, 0.75; 1, 1.25
    assert open_corpus(str(folder)).weight_means == {"train": 2 / 3, "validation": 1.125}


def test_splits_may_be_folders_and_ids_of_any_width(write_corpus, tmp_path):
    """A copy by another program: the same tokens, so the same data to a run."""
    folder = write_corpus()
    for path in folder.iterdir():
        table = pa.ipc.open_file(path).read_all()
        rows = {"ids": table["input_ids"], "weights": table["weights"], "doc_id": table["doc_id"]}
        wide = pa.table(rows).rename_columns(["input_ids", "weights", "doc_id"])
        wide = wide.set_column(0, "input_ids", wide["input_ids"].cast(pa.list_(pa.int64())))
        split = path.name.partition("-")[0]
        copy = tmp_path / "copy" / split / "data.parquet"
        copy.parent.mkdir(parents=True)
        pq.write_table(wide, copy)
    info = {"tokenizer_sha256": "0" * 64, "vocab_size": 32, "eos_id": 0}
    (tmp_path / "copy" / "assay.json").write_text(json.dumps(info))
    assert open_corpus(str(tmp_path / "copy")).fingerprint == open_corpus(str(folder)).fingerprint


def test_one_token_is_a_split(write_corpus):
    assert open_corpus(str(write_corpus(train=[[[7]]]))).train.tokens == 1


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def set_version(path: Path) -> None:
    table = pa.ipc.open_file(path).read_all()
    info = json.loads(table.schema.metadata[METADATA_KEY]) | {"schema_version": 99}
    schema = table.schema.with_metadata({METADATA_KEY: json.dumps(info)})
    with pa.ipc.new_file(path, schema) as writer:
        writer.write_table(table.cast(schema))


def replace_weight(value: float):
    def change(path: Path) -> None:
        old, new = (np.float32(x).tobytes() for x in (7.5, value))
        content = path.read_bytes()
        assert content.count(old) == 1
        path.write_bytes(content.replace(old, new))

    return change


def rewrite(**fields):
    def change(path: Path) -> None:
        info = ShardInfo(**{**INFO, **fields})
        write_shard(path, info, [to_tokens("train", [[1, 2]], np.ones_like)])

    return change


INFO = {
    "tokenizer_sha256": "0" * 64,
    "vocab_size": 32,
    "eos_id": 0,
    "split": "train",
    "policy": "test",
}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (truncate, "not a whole Arrow IPC file"),
        (set_version, "shard of schema version 99, this code reads 1"),
        (
            replace_weight(np.nan),
            "document train-1 .*: token 1 has weight nan, weights are finite and ≥ 0",
        ),
        (
            replace_weight(-1.0),
            "document train-1 .*: token 1 has weight -1.0, weights are finite and ≥ 0",
        ),
        (
            replace_weight(np.inf),
            "document train-1 .*: token 1 has weight inf, weights are finite and ≥ 0",
        ),
        (rewrite(tokenizer_sha256="1" * 64), "tokenizer_sha256 is 1{64}, but 0{64} in train-00000"),
        (rewrite(vocab_size=33), "vocab_size is 33, but 32 in train-00000"),
        (rewrite(eos_id=3), "eos_id is 3, but 0 in train-00000"),
        (rewrite(eos_id=32), "eos_id is 32, outside the vocabulary of 32"),
    ],
)
def test_a_bad_shard_is_named(write_corpus, spoil, message):
    def weigh(ids_N):
        return np.where(ids_N == 31, 7.5, 1.0).astype(np.float32)

    folder = write_corpus(train=[[[1, 2]], [[1], [2, 31, 3]]], weigh=weigh)
    spoil(folder / "train-00001.arrow")
    with pytest.raises(AssayError, match=message) as caught:
        open_corpus(str(folder))
    assert str(folder / "train-00001.arrow") in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("shards", ["", "/no/such/folder"])
def test_no_shards(shards):
    with pytest.raises(AssayError, match=r"with train-\*\.arrow files"):
        open_corpus(shards)
