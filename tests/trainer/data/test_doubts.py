"""What is odd about somebody's own shards is said; assay's own give no cause."""

import numpy as np
import pytest

from trainer.data.corpus import open_corpus
from trainer.data.doubts import list_doubts

ENDED = [[3, 5, 0], [4, 0]]


def doubt(folder, *, weighted=True):
    return list_doubts(open_corpus(str(folder)), weighted)


def weighing(weight):
    return lambda ids_N: np.full(len(ids_N), weight, np.float32)


@pytest.mark.parametrize("weight", [1.0, 0.995, 1.009])
def test_there_is_nothing_to_say_of_weights_of_mean_one(write_corpus, weight):
    folder = write_corpus(train=[ENDED], validation=[ENDED[:1]], weigh=weighing(weight))
    assert [line for line in doubt(folder) if "average" in line] == []


@pytest.mark.parametrize("weight", [1000.0, 0.5, 1.02])
def test_a_mean_that_is_not_one_is_told_with_the_remedy(write_corpus, weight):
    folder = write_corpus(train=[ENDED, ENDED[:1]], weigh=weighing(weight))
    (line,) = [line for line in doubt(folder) if "average" in line]
    assert f"average {weight:g}, not 1" in line
    assert line.endswith(f"divide the weights by {weight:g}")


def test_means_do_not_matter_to_an_objective_that_reads_no_weights(write_corpus):
    folder = write_corpus(train=[ENDED], weigh=weighing(1000))
    assert not any("average" in line for line in doubt(folder, weighted=False))


def test_documents_without_an_end_are_counted_by_split(write_corpus):
    folder = write_corpus(train=[[*ENDED, [7, 7], []]], validation=[[[1, 0]]])
    (line,) = [line for line in doubt(folder) if "end-of-text" in line]
    assert line.startswith("1 of 3 train documents do not end with the end-of-text token 0")


def test_documents_that_are_there_twice_are_told_by_one_of_them(write_corpus):
    folder = write_corpus(train=[[[9, 0]], [[9, 0], [8, 0]]])
    (line,) = [line for line in doubt(folder) if "more than once" in line]
    assert "train-0 (in train-00000.arrow and train-00001.arrow)" in line
