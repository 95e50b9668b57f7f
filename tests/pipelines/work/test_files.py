"""Kinds of temporary files: found by number, read as written, done once they are there."""

import pickle
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from pipelines.work.files import (
    ArrayFile,
    ArrayFiles,
    Files,
    Grid,
    RecordFile,
    RecordFiles,
    Step,
    array,
    folder,
    step,
)
from pipelines.work.summaries import CleanSummary, RecordSummary
from weighting.errors import AssayError, BrokenContract


class Pair(NamedTuple):
    one: int
    two: str


class InPlace:
    """Something with entries."""

    def __init__(self, path):
        self.path = path

    things = folder()
    sums = array(np.ndarray)
    work = step(RecordSummary)


def test_files_are_listed_by_number_and_temporary_ones_are_not(tmp_path):
    files = Files(tmp_path / "some", ".arrow")
    assert list(files) == []
    for number in (12, 3, 1_000_000):
        files[number].parent.mkdir(exist_ok=True)
        files[number].touch()
    (tmp_path / "some" / ".000003.arrow.77.tmp").touch()
    (tmp_path / "some" / "000004.json").touch()
    assert [path.name for path in files] == ["000003.arrow", "000012.arrow", "1000000.arrow"]


def test_an_array_is_there_once_it_is_saved(tmp_path):
    files = ArrayFiles(tmp_path / "links")
    assert not files[7].exists()
    files[7].save(np.arange(6).reshape(3, 2))
    files[2].save(np.arange(4))
    assert files[7].exists()
    assert files[7].load().tolist() == [[0, 1], [2, 3], [4, 5]]
    assert [file.path.stem for file in files] == ["000002", "000007"]


def test_records_keep_their_type(tmp_path):
    files = RecordFiles(tmp_path / "pairs", list[Pair])
    files[1].write([Pair(1, "a"), Pair(2, "b\n")])
    assert files[1].exists()
    assert files[1].read() == [Pair(1, "a"), Pair(2, "b\n")]
    assert not files[2].exists()
    with pytest.raises(AssayError, match=r"000002\.json: no such file"):
        files[2].read()


def test_a_record_of_another_kind_is_refused_with_its_file(tmp_path):
    RecordFile(tmp_path / "a.json", Pair).write(Pair(1, "a"))
    with pytest.raises(BrokenContract, match=r"a\.json: CleanSummary: unknown field"):
        RecordFile(tmp_path / "a.json", CleanSummary).read()


def test_a_step_knows_which_units_it_finished(tmp_path):
    done = Step(tmp_path / "clean", CleanSummary)
    assert done.name == "clean"
    assert (done.list_done(), list(done)) == (set(), [])
    summaries = {11: CleanSummary(5, {"request": 2}), 2: CleanSummary(3)}
    for uid, summary in summaries.items():
        assert not done.is_done(uid)
        done.finish(uid, summary)
        assert done.is_done(uid)
    assert done.list_done() == {2, 11}
    assert list(done) == [summaries[2], summaries[11]]
    assert done.read(11) == summaries[11]


def test_a_step_finished_again_has_the_last_summary(tmp_path):
    done = Step(tmp_path / "tokenize", RecordSummary)
    done.finish(0, RecordSummary(1))
    done.finish(0, RecordSummary(2))
    assert list(done) == [RecordSummary(2)]


def test_a_grid_has_a_folder_for_each_number(tmp_path):
    grid = Grid(tmp_path / "half_edges", ArrayFiles)
    grid[0][1].save(np.arange(3))
    grid[12][1].save(np.arange(4))
    assert grid[12][1].path.relative_to(tmp_path).as_posix() == "half_edges/012/000001.npy"
    assert [len(file.load()) for file in grid[0]] == [3]
    assert list(grid[1]) == []


def test_entries_lie_under_their_names(tmp_path):
    place = InPlace(tmp_path)
    assert place.things == tmp_path / "things"
    assert place.sums == ArrayFile(tmp_path / "sums.npy")
    assert place.work == Step(tmp_path / "work", RecordSummary)
    assert InPlace(Path("elsewhere")).things == Path("elsewhere/things")


def test_files_travel_to_workers(tmp_path):
    place = InPlace(tmp_path)
    for item in (place.sums, place.work, Files(tmp_path, ".arrow"), Grid(tmp_path, ArrayFiles)):
        assert pickle.loads(pickle.dumps(item)) == item
