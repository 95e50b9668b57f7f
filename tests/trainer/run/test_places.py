"""A run finds what it reads: from any folder, after a move, in a copy; nothing else is taken."""

import shutil

import pytest
import torch

from trainer.config.flat import override
from trainer.run.checkpoint import find_newest, find_run, read_record
from trainer.run.places import (
    choose_tokenizer,
    list_candidates,
    list_own_tokenizers,
    open_own_corpus,
    relate,
)
from trainer.run.train import train
from trainer.scoring.evaluation import evaluate_run
from weighting.errors import AssayError
from weighting.storage.files import sha256


@pytest.fixture
def tree(tiny, tmp_path, monkeypatch):
    """A folder of shards and a run on them, which was started in it by relative names."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tree").mkdir()
    shutil.move(tmp_path / "run", tmp_path / "tree" / "data")
    monkeypatch.chdir(tmp_path / "tree")
    train(override(tiny, {"shards": "data/shards"}), tmp_path / "tree" / "out")
    monkeypatch.chdir("/")
    return tmp_path / "tree"


def find_shards(run):
    folder, _ = open_own_corpus(run, read_record(find_newest(run)))
    return folder


def test_places_are_kept_as_they_are_seen_from_the_run(tree):
    record = read_record(find_newest(tree / "out"))
    assert record.config["shards"] == str(tree / "data" / "shards")
    assert record.places == {"shards": "../data/shards"}
    named = {**record.config, "tokenizer": f"{tree}/t.json"}
    assert relate(named, tree / "out")["tokenizer"] == "../t.json"


def test_a_run_is_evaluated_from_another_folder_and_after_a_move(tree, tmp_path):
    before = evaluate_run(tree / "out", {})
    moved = tree.rename(tmp_path / "elsewhere")
    assert evaluate_run(moved / "out", {}) == before
    assert find_shards(moved / "out") == moved / "data" / "shards"


def test_a_run_that_moves_alone_finds_its_shards_where_they_were(tree, tmp_path):
    run = (tree / "out").rename(tmp_path / "alone")
    assert find_shards(run) == tree / "data" / "shards"


def test_a_copy_reads_its_own_and_not_the_originals(tree, tmp_path):
    shutil.copytree(tree, tmp_path / "copy")
    assert find_shards(tmp_path / "copy" / "out") == tmp_path / "copy" / "data" / "shards"


def test_other_documents_in_the_same_place_are_passed_over(tree, tmp_path, write_corpus):
    other = write_corpus("other", validation=[[[1, 2, 3]]])
    run = tmp_path / "alone" / "out"
    shutil.copytree(tree / "out", run)
    shutil.copytree(other, tmp_path / "alone" / "data" / "shards")
    assert find_shards(run) == tree / "data" / "shards"
    shutil.rmtree(tree / "data")
    with pytest.raises(AssayError, match=r"other documents in .*alone.*no shards in .*tree.*--s"):
        evaluate_run(run, {})


def test_new_weights_of_the_same_documents_are_still_the_runs(tree, write_corpus):
    shutil.rmtree(tree / "data")
    shutil.move(write_corpus("other", weigh=lambda ids: ids * 0.0 + 1.0).parent, tree / "data")
    assert find_shards(tree / "out") == tree / "data" / "shards"


def test_an_older_record_is_looked_for_above_the_run(tree):
    record = read_record(find_newest(tree / "out"))
    older = override_places(record, "data/shards")
    folder, _ = open_own_corpus(tree / "out", older)
    assert folder == tree / "data" / "shards"


def override_places(record, shards):
    return type(record)(**{**vars(record), "places": {}, "config": {"shards": shards}})


def test_a_run_that_names_no_place_has_no_candidates(tree):
    record = override_places(read_record(find_newest(tree / "out")), "")
    assert list_candidates(tree / "out", record, "shards") == []
    with pytest.raises(AssayError, match="its config names none"):
        open_own_corpus(tree / "out", record)


def test_a_tokenizer_is_the_one_with_the_right_bytes(tmp_path):
    wrong, right = tmp_path / "wrong.json", tmp_path / "right.json"
    assert choose_tokenizer([wrong, right], "0") is None
    wrong.write_text("{}")
    right.write_text("[]")
    assert choose_tokenizer([wrong, right], sha256(right)) == right
    with pytest.raises(AssayError, match=r"wrong\.json: not the tokenizer .* --tokenizer"):
        choose_tokenizer([wrong, right], "0")


def test_a_tokenizer_is_looked_for_in_and_beside_every_place_of_the_shards(tree):
    checkpoint = find_newest(tree / "out")
    found = list_own_tokenizers(find_run(checkpoint), read_record(checkpoint))
    assert tree / "data" / "tokenizer.json" in found
    assert tree / "data" / "shards" / "tokenizer.json" in found


def test_a_checkpoint_says_how_frequent_types_are_in_training(tree):
    _, corpus = open_own_corpus(tree / "out", read_record(find_newest(tree / "out")))
    from safetensors.torch import load_file

    counts = load_file(find_newest(tree / "out") / "targets.safetensors")["counts"]
    assert counts.equal(torch.from_numpy(corpus.target_counts_V))
