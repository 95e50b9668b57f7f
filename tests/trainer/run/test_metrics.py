"""Rows of a run: written as they are, read as they were, cut where a resumed run goes on."""

import json

import pytest

from tests.trainer.records import make_evaluation, make_metrics
from trainer.run.metrics import (
    EVALUATIONS,
    METRICS,
    append_row,
    cut_rows,
    read_evaluations,
    read_last_step,
    read_metrics,
)
from weighting.errors import BrokenContract


@pytest.fixture
def run(tmp_path):
    for step in (1, 2, 3):
        append_row(tmp_path / METRICS, make_metrics(step))
    append_row(tmp_path / EVALUATIONS, make_evaluation(2))
    return tmp_path


def test_rows_come_back_as_they_were(run):
    assert read_metrics(run) == [make_metrics(step) for step in (1, 2, 3)]
    assert read_evaluations(run) == [make_evaluation(2)]
    assert read_last_step(run / METRICS) == 3


def test_a_run_that_has_not_begun_has_no_rows(tmp_path):
    assert read_metrics(tmp_path) == []
    assert read_evaluations(tmp_path) == []
    assert read_last_step(tmp_path / METRICS) == 0


def test_a_row_that_a_kill_cut_short_is_none(run):
    with (run / METRICS).open("a") as file:
        file.write('{"step": 4, "lo')
    assert [row.step for row in read_metrics(run)] == [1, 2, 3]
    assert read_last_step(run / METRICS) == 3


def test_rows_after_a_step_are_dropped_and_the_others_keep_their_bytes(run):
    before = (run / METRICS).read_text().splitlines()
    cut_rows(run, 2)
    assert (run / METRICS).read_text().splitlines() == before[:2]
    cut_rows(run, 1)
    assert read_evaluations(run) == []


def test_rows_that_are_none_are_named_with_their_file(run):
    (run / EVALUATIONS).write_text(json.dumps({"step": 1, "loss": 2.0}) + "\n")
    with pytest.raises(
        BrokenContract, match=r"evaluations\.jsonl: Evaluation: unknown field 'loss'"
    ):
        read_evaluations(run)


def test_a_loss_that_is_no_number_is_never_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        append_row(tmp_path / METRICS, make_metrics(1, float("nan")))
