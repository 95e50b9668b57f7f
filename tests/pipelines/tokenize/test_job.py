"""The tokenize job: all units encoded and counted, their n-grams merged, and nothing done twice."""

import numpy as np
import pytest

from pipelines.engine.runner import Engine
from pipelines.settings import ScoreSettings
from pipelines.tokenize.job import count
from pipelines.tokenize.ngram_counts import load_counted
from pipelines.tokenize.tokens import load_tokens
from tests.pipelines.tokenize.corpora import make_job

UNITS = [["the cat sat on the mat", "the dog"], ["the cat sat again"], []]
SIZES = {0: 30, 1: 20, 2: 0}
SETTINGS = ScoreSettings(validation_share=0.3, order=3)


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """A job whose units are tokenized."""
    job = make_job(tmp_path_factory.mktemp("tokenize") / "run", UNITS)
    count(SIZES, SETTINGS, job, Engine())
    return job


def test_counts_are_those_of_all_units(job):
    whole = [load_tokens(job, uid) for uid in SIZES]
    ids = np.concatenate([unit.ids_N for unit in whole])
    counts_3V = job.work.type_counts.load()
    assert counts_3V.shape == (3, 270)
    assert np.array_equal(counts_3V[:2].sum(axis=0), np.bincount(ids, minlength=270))
    units = [job.work.unit_type_counts[uid].load() for uid in SIZES]
    assert np.array_equal(counts_3V, sum(units))


def test_every_order_is_merged(job):
    counted = load_counted(1, 3, job)
    assert (counted.order, counted.partitions) == (3, 1)
    for n in (2, 3):
        assert job.work.ngram_seldom[n][0].exists()
        assert len(job.work.ngram_contexts[n][0].load()) == len(job.work.ngram_rows[n][0].load())
    assert not job.work.ngram_seldom[4][0].exists()


def test_what_is_done_is_not_done_again(job):
    steps = [job.work.tokenize.folder / f"{uid:06d}.done.json" for uid in SIZES]
    steps.append(job.work.ngram_seldom[2][0].path)
    before = [path.stat().st_mtime_ns for path in steps]
    counts_3V = job.work.type_counts.load().copy()
    count(SIZES, SETTINGS, job, Engine())
    assert [path.stat().st_mtime_ns for path in steps] == before
    assert np.array_equal(job.work.type_counts.load(), counts_3V)
