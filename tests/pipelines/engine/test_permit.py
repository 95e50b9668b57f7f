"""The permit: without it no unit begins, and taking it back waits for those under way."""

import threading
import time

import pytest

from pipelines.engine import permit
from pipelines.engine.permit import NotPermitted, issue, take_back
from weighting.errors import AssayError


def test_a_unit_begins_while_the_permit_is_there(tmp_path):
    given = issue(tmp_path)
    with given.hold(), given.hold():  # many at once
        pass
    assert take_back(tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(NotPermitted, match="is not there"), given.hold():
        pass


def test_the_permit_of_another_job_is_none(tmp_path):
    first = issue(tmp_path)
    second = issue(tmp_path)
    with second.hold():
        pass
    with pytest.raises(NotPermitted, match="another job's"), first.hold():
        pass


def test_taking_it_back_waits_for_units_under_way(tmp_path):
    given, began, go = issue(tmp_path), threading.Event(), threading.Event()

    def work():
        with given.hold():
            began.set()
            go.wait()

    worker = threading.Thread(target=work)
    worker.start()
    began.wait()
    assert not take_back(tmp_path, seconds=0.2)
    with pytest.raises(NotPermitted), given.hold():
        pass
    threading.Timer(0.3, go.set).start()
    assert take_back(tmp_path)
    worker.join()
    assert not (tmp_path / permit.NAME).exists()


def test_nobody_begins_where_units_of_before_do_not_end(tmp_path, monkeypatch):
    given = issue(tmp_path)
    monkeypatch.setattr("pipelines.engine.permit.take_back", lambda folder: False)
    with given.hold(), pytest.raises(AssayError, match="still at work here"):
        issue(tmp_path)


def test_without_a_permit_there_is_nothing_to_wait_for(tmp_path):
    start = time.monotonic()
    assert take_back(tmp_path)
    assert time.monotonic() - start < 5
