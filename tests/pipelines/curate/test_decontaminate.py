"""Evaluation items in a batch of documents: prepared once, found by every worker, counted."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from pipelines.curate.decontaminate import count_items, find_items, prepare_items, share_items
from pipelines.settings import ContaminationSettings, EvaluationSet
from tests.pipelines.curate.units import open_job
from weighting.contracts.counts import SetCounts
from weighting.contracts.documents import CONTAMINATED
from weighting.errors import AssayError

QUESTION = "Which instrument did the old captain play on the night of the great storm at sea"
ITEMS = [{"q": QUESTION, "a": "the broken accordion"}, {"q": "Too short?", "a": "yes"}]


@pytest.fixture
def settings(tmp_path):
    """One set of two items, of which one is too short to be found."""
    path = tmp_path / "items.jsonl"
    path.write_text("".join(json.dumps(item) + "\n" for item in ITEMS))
    riddles = EvaluationSet("riddles", str(path), question="q", answer="a")
    return ContaminationSettings(sets=(riddles,), words=8, least_words=5)


@pytest.fixture
def job(tmp_path, settings):
    """A job whose items are prepared."""
    job = open_job(tmp_path / "run")
    prepare_items(settings, job)
    return job


def find(texts, settings, job):
    ids = [f"{number:032x}" for number in range(len(texts))]
    return find_items(ids, pa.array(texts, pa.string()), settings, job)


def test_the_document_that_holds_an_item_says_where(settings, job):
    text = f"He asked me this: {QUESTION}? Nobody knew."
    found = find([text, "nothing of the kind is here"], settings, job)
    assert found.scores_D[0] >= settings.share
    assert found.scores_D[1] == 0
    (span,), nothing = found.contaminated_D.to_pylist()
    assert text[span["start"] : span["end"]].strip(" ?") in QUESTION
    assert len(text[span["start"] : span["end"]]) > 50
    assert nothing == []
    assert found.contaminated_D.type == CONTAMINATED
    (hit,) = found.hits.to_pylist()
    assert (hit["set"], hit["doc_id"]) == ("riddles", f"{0:032x}")


def test_without_sets_nothing_is_looked_for(tmp_path):
    job = open_job(tmp_path / "run")
    prepare_items(None, job)
    found = find([QUESTION, ""], None, job)
    assert np.isnan(found.scores_D).all()
    assert found.contaminated_D.to_pylist() == [[], []]
    assert found.hits is None
    assert count_items(job) == {}
    assert not job.work.items.exists()


def test_items_are_counted_with_those_that_cannot_be_found(job):
    assert count_items(job) == {"riddles": SetCounts(items=2, hidden=1)}


def test_items_are_prepared_once(settings, job):
    """The files of the sets may go meanwhile."""
    gone = EvaluationSet("riddles", "no such file", question="q")
    prepare_items(replace(settings, sets=(gone,)), job)
    assert count_items(job)["riddles"].items == 2


def test_a_set_that_cannot_be_read_is_an_error(tmp_path, settings):
    gone = EvaluationSet("riddles", str(tmp_path / "gone.jsonl"), question="q")
    with pytest.raises(AssayError, match=r"gone\.jsonl"):
        prepare_items(replace(settings, sets=(gone,)), open_job(tmp_path / "other"))


def test_another_job_finds_what_was_prepared(tmp_path, settings, job):
    other = open_job(tmp_path / "other")
    share_items(job, other)
    assert count_items(other) == count_items(job)
    assert find([QUESTION], settings, other).scores_D[0] >= settings.share


def test_there_may_be_nothing_to_share(tmp_path):
    other = open_job(tmp_path / "other")
    share_items(open_job(tmp_path / "run"), other)
    assert not other.work.path.exists()
