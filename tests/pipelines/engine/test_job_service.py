"""A job service that is there, one that is not, and one that goes away."""

import threading
import time

import grpc
import pytest

from pipelines.engine import job_service
from pipelines.engine.job_service import (
    ServiceLost,
    Submission,
    check_beam,
    explain_loss,
    find_endpoint,
)
from tests.pipelines.engine.services import find_port, list_options, serving_here
from weighting.errors import AssayError


def test_a_service_that_is_there_is_asked_for_its_options():
    with serving_here() as endpoint:
        check_beam(list_options(endpoint))
        with pytest.raises(AssayError, match="--paralelism: Beam has no such option"):
            check_beam([*list_options(endpoint), "--paralelism=3"])


def test_a_dead_endpoint_is_one_line_in_time(monkeypatch):
    assert job_service.CONNECT_SECONDS == 20
    monkeypatch.setattr(job_service, "CONNECT_SECONDS", 0.5)
    endpoint = f"127.0.0.1:{find_port()}"
    start = time.monotonic()
    with pytest.raises(AssayError, match=f"{endpoint}: no job service answers there"):
        check_beam(list_options(endpoint))
    assert time.monotonic() - start < 10


def test_a_server_of_something_else_is_no_job_service():
    from concurrent.futures import ThreadPoolExecutor

    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with pytest.raises(AssayError, match=r"no job service of Beam's \(UNIMPLEMENTED"):
            check_beam(list_options(f"127.0.0.1:{port}"))
    finally:
        server.stop(0)


def test_the_local_runner_needs_no_service():
    assert find_endpoint([]) is None
    check_beam([], workers=2)


def test_what_a_lost_service_leaves_is_one_line():
    lost = explain_loss(grpc.RpcError("gone"), "h:1")
    assert isinstance(lost, ServiceLost)
    assert str(lost).startswith("the job service at h:1 is gone (gone); what is finished is kept")
    assert "does not answer" in str(explain_loss(grpc.FutureTimeoutError(), "h:1"))
    told = RuntimeError("Pipeline job-1 failed in state CANCELLED: unknown error")
    assert "was cancelled at the job service" in str(explain_loss(told, "h:1"))
    text = 'x:\n\tstatus = StatusCode.UNAVAILABLE\n\tdetails = "no\n way"\n\tdebug = 1\n'
    assert "cannot go on (UNAVAILABLE: no way)" in str(explain_loss(RuntimeError(text), "h:1"))
    bug = ValueError("a defect")
    assert explain_loss(bug, "h:1") is bug


class Result:
    """Beam's view of a job, which ends when it is cancelled, or never."""

    def __init__(self, ends=True):
        self.state, self._ends = "RUNNING", ends

    def cancel(self):
        if self._ends:
            self.state = "CANCELLED"


def test_a_job_is_cancelled_once_it_is_known(monkeypatch):
    monkeypatch.setattr(job_service, "CANCEL_SECONDS", 2.0)
    job, result = Submission(), Result()
    threading.Timer(0.2, job.submitted, [result]).start()
    assert job.cancel()
    assert result.state == "CANCELLED"


@pytest.mark.parametrize("result", [None, Result(ends=False)])
def test_a_job_that_does_not_end_is_not_waited_for(result, monkeypatch):
    monkeypatch.setattr(job_service, "CANCEL_SECONDS", 0.3)
    job = Submission()
    if result is not None:
        job.submitted(result)
    assert not job.cancel()
