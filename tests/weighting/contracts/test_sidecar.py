"""The sidecar: what is written is read back, and what breaks its contract is refused."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from weighting.contracts.sidecar import (
    METADATA_KEY,
    Sidecar,
    SidecarInfo,
    read_sidecar,
    write_sidecar,
)
from weighting.errors import BrokenContract

INFO = SidecarInfo("tokenizer", 300, 0, "train", ["ngram_gain", "nll"])


def make_sidecar(info=INFO, **changes):
    """Three documents, the second nothing but its end."""
    sidecar = Sidecar(
        info=info,
        doc_ids=pa.array(["a", "b", "c"]),
        sources=pa.array(["x", "x", "y"]),
        offsets_D1=np.array([0, 3, 4, 6]),
        ids_N=np.array([5, 299, 0, 0, 7, 0], np.uint16),
        starts_N=np.array([0, 2, 9, 0, 0, 4], np.int32),
        copies_N=np.array([1, 4, 1, 1, 1, 1], np.int32),
        contaminated_N=np.array([0, 1, 0, 0, 0, 0], bool),
        signals={
            "ngram_gain": np.array([0.5, -2, 0, 0, 1, 0], np.float32),
            "nll": np.array([3, 2, 1, 0, 1, 2], np.float32),
        },
    )
    return replace(sidecar, **changes)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "train-000000.parquet"


def test_what_is_written_is_read_back(path):
    written = make_sidecar()
    write_sidecar(path, written)
    read = read_sidecar(path)
    assert read.info == INFO
    assert read.doc_ids.to_pylist() == ["a", "b", "c"]
    assert read.sources.to_pylist() == ["x", "x", "y"]
    for name in ("offsets_D1", "ids_N", "starts_N", "copies_N", "contaminated_N"):
        value = getattr(read, name)
        assert value.tolist() == getattr(written, name).tolist()
        assert value.dtype == getattr(written, name).dtype
    assert list(read.signals) == INFO.signals
    for name, values in read.signals.items():
        assert values.dtype == np.float32
        assert values.tolist() == written.signals[name].tolist()
    assert read.special_N.tolist() == [False, False, True, True, False, True]


def test_the_same_sidecar_gives_the_same_bytes_and_no_other_file(path):
    write_sidecar(path, make_sidecar())
    first = path.read_bytes()
    write_sidecar(path, make_sidecar())
    assert path.read_bytes() == first
    assert list(path.parent.iterdir()) == [path]


def test_only_what_is_asked_for_is_read(path):
    write_sidecar(path, make_sidecar())
    read = read_sidecar(path, ["copies", "nll"])
    assert list(read.signals) == ["nll"]
    assert read.copies_N.tolist() == [1, 4, 1, 1, 1, 1]
    assert read.ids_N.tolist() == [5, 299, 0, 0, 7, 0]
    assert (len(read.starts_N), len(read.contaminated_N)) == (0, 0)


def test_a_large_vocabulary_takes_wider_ids(path):
    write_sidecar(path, make_sidecar(replace(INFO, vocab_size=2**16 + 1)))
    assert read_sidecar(path).ids_N.dtype == np.uint32


def test_a_part_without_documents_is_a_sidecar_too(path):
    none = np.empty(0, np.float32)
    empty = Sidecar(
        info=INFO,
        doc_ids=pa.array([], pa.string()),
        sources=pa.array([], pa.string()),
        offsets_D1=np.zeros(1, np.int64),
        ids_N=none.astype(np.uint16),
        starts_N=none.astype(np.int32),
        copies_N=none.astype(np.int32),
        contaminated_N=none.astype(bool),
        signals={"ngram_gain": none, "nll": none},
    )
    write_sidecar(path, empty)
    read = read_sidecar(path)
    assert (read.offsets_D1.tolist(), len(read.ids_N), len(read.signals["nll"])) == ([0], 0, 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"copies_N": np.ones(5, np.int32)}, "copies has 5 values for 6 tokens"),
        ({"ids_N": np.ones(7, np.uint16)}, "input_ids has 7 values for 6 tokens"),
        (
            {"signals": {"ngram_gain": np.zeros(6), "nll": np.array([0, 0, 0, np.nan, 0, 0])}},
            "nll of token 3 is nan",
        ),
        (
            {"signals": {"ngram_gain": np.full(6, -np.inf), "nll": np.zeros(6)}},
            "ngram_gain of token 0 is -inf",
        ),
    ],
)
def test_what_breaks_the_contract_is_not_written(path, changes, message):
    with pytest.raises(BrokenContract, match=message):
        write_sidecar(path, make_sidecar(**changes))
    assert not list(path.parent.iterdir())


def test_a_missing_column_is_named(path):
    write_sidecar(path, make_sidecar())
    with pytest.raises(BrokenContract, match="no column excess"):
        read_sidecar(path, ["excess"])


def test_another_version_or_file_is_refused(path):
    with pytest.raises(BrokenContract, match="no such sidecar"):
        read_sidecar(path)
    path.write_text("text")
    with pytest.raises(BrokenContract, match="not a readable Parquet file"):
        read_sidecar(path)
    pq.write_table(pa.table({"doc_id": ["a"]}), path)
    with pytest.raises(BrokenContract, match="not a sidecar of schema version"):
        read_sidecar(path)
    write_sidecar(path, make_sidecar(replace(INFO, schema_version=99)))
    assert METADATA_KEY in pq.read_schema(path).metadata
    with pytest.raises(BrokenContract, match="not a sidecar of schema version"):
        read_sidecar(path)
