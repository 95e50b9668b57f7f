"""Halves of shards: nothing but a choice of documents, whatever the files; no half without ids."""

import numpy as np
import pyarrow as pa
import pytest

from tests.trainer.conftest import draw_documents
from trainer.config.flat import override
from trainer.data.corpus import open_corpus
from trainer.run.checkpoint import find_newest, read_record
from trainer.run.train import train
from weighting.contracts.halves import is_of_half
from weighting.contracts.shards import ShardInfo, Tokens, open_shard, write_shard
from weighting.contracts.splits import HALVES, WHOLE, A, B
from weighting.errors import AssayError

FILES = [draw_documents(0, 9), [], [[], *draw_documents(1, 14), []], draw_documents(2, 1)]


def read_documents(stream):
    """(id, tokens) of the documents of a stream that are not empty."""
    return [
        (name, ids_N.tolist())
        for segment in stream.segments
        for name, ids_N in zip(
            segment.doc_ids.to_pylist(),
            np.split(segment.ids_N, segment.offsets_D1[1:-1]),
            strict=True,
        )
        if len(ids_N)
    ]


@pytest.fixture
def folder(write_corpus):
    return write_corpus(train=FILES)


def test_two_halves_are_the_whole_and_validation_stays(folder):
    whole, *halves = (open_corpus(str(folder), half) for half in (WHOLE, *HALVES))
    documents = read_documents(whole.train)
    for half, corpus in zip(HALVES, halves, strict=True):
        wanted_D = is_of_half([name for name, _ in documents], half)
        expected = [one for one, wanted in zip(documents, wanted_D, strict=True) if wanted]
        assert read_documents(corpus.train) == expected
        assert len(expected) > 3
        assert read_documents(corpus.validation) == read_documents(whole.validation)
        owners = {segment.ids_N.base is None for segment in corpus.train.segments}
        assert owners == {False}  # views of the file
    assert sum(corpus.train.tokens for corpus in halves) == whole.train.tokens
    counts = sum(corpus.target_counts_V for corpus in halves)
    assert np.array_equal(counts, whole.target_counts_V)


def write_half(folder, half, out):
    """Write a half's documents as shards of their own, all in one file."""
    for split in ("train", "validation"):
        shards = [open_shard(path) for path in sorted(folder.glob(f"{split}-*"))]
        segments = [segment for shard in shards for segment in shard.segments]
        names = [name for segment in segments for name in segment.doc_ids.to_pylist()]
        sizes_D = np.concatenate([np.diff(segment.offsets_D1) for segment in segments])
        chosen_D = is_of_half(names, half if split == "train" else WHOLE)
        chosen_N = np.repeat(chosen_D, sizes_D)

        def join(name, segments=segments, chosen_N=chosen_N):
            return np.concatenate([getattr(one, name) for one in segments])[chosen_N]

        kept = [name for name, chosen in zip(names, chosen_D, strict=True) if chosen]
        offsets_D1 = np.cumsum([0, *sizes_D[chosen_D]])
        columns = (join("ids_N"), join("weights_N"), join("reasons_N"))
        info: ShardInfo = shards[0].info
        tokens = Tokens(kept, ["test"] * len(kept), offsets_D1, *columns)
        write_shard(out / f"{split}-0.arrow", info, [tokens])
    return out


@pytest.mark.parametrize("packing", ["stream", "best-fit"])
def test_a_half_trains_as_shards_that_hold_nothing_else(tiny, folder, tmp_path, packing):
    asked = {"shards": str(folder), "packing": packing, "steps": 3}
    train(override(tiny, {**asked, "half": B}), tmp_path / "half")
    alone = write_half(folder, B, tmp_path / "alone")
    train(override(tiny, {**asked, "shards": str(alone)}), tmp_path / "whole")
    half, whole = (find_newest(tmp_path / name) for name in ("half", "whole"))
    read = [(path / "model.safetensors").read_bytes() for path in (half, whole)]
    assert read[0] == read[1]
    assert read_record(half).data == read_record(whole).data
    assert read_record(half).config["half"] == B
    assert read_record(whole).config["half"] == WHOLE


def test_a_run_goes_on_with_its_own_half_only(tiny, folder, tmp_path):
    config = override(tiny, {"shards": str(folder), "half": A, "steps": 2})
    first = train(config, tmp_path / "out")
    assert train(config, tmp_path / "out") == first
    with pytest.raises(AssayError, match="made with half a, now half is b"):
        train(override(config, {"half": B}), tmp_path / "out")


def test_without_documents_of_a_half_it_is_told(write_corpus):
    documents = draw_documents(0, 1)
    (of_a,) = is_of_half(["train-0"], A)
    there, missing = (A, B) if of_a else (B, A)
    folder = str(write_corpus(train=[documents]))
    assert open_corpus(folder, there).train.tokens == len(documents[0])
    with pytest.raises(AssayError, match=f"no train document is of half {missing}; leave out half"):
        open_corpus(folder, missing)


def test_shards_without_ids_have_no_halves(folder):
    path = folder / "train-00000.arrow"
    table = pa.ipc.open_file(str(path)).read_all()
    with pa.ipc.new_file(str(path), table.drop_columns("doc_id").schema) as writer:
        writer.write_table(table.drop_columns("doc_id"))
    assert open_corpus(str(folder)).train.tokens
    with pytest.raises(AssayError, match=r"train-00000\.arrow: no column doc_id, by which"):
        open_corpus(str(folder), A)
