"""A job service: is it there, what does it know, and how a job of it is cancelled."""

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

import grpc
from apache_beam.options.pipeline_options import PipelineOptions, PortableOptions
from apache_beam.portability.api import beam_job_api_pb2, beam_job_api_pb2_grpc
from apache_beam.runners.runner import PipelineState

from pipelines.engine.beam_options import LOCAL, check_options, list_unknown, name_runner
from pipelines.engine.failures import CALL, describe_failure
from weighting.errors import AGAIN, AssayError, MayPass

CANCELLED = "failed in state CANCELLED"  # Beam's words
CONNECT_SECONDS = 20.0
CANCEL_SECONDS = 10.0
POLL_SECONDS = 0.2

log = logging.getLogger(__name__)


class ServiceLost(MayPass):
    """The job service went away during a run; finished units are kept."""

    exit_code = 1


def find_endpoint(given: Sequence[str]) -> str | None:
    """Return the address of the job service that options name; None where the runner is local."""
    if name_runner(given) == LOCAL:
        return None
    endpoint: str | None = PipelineOptions(list(given)).view_as(PortableOptions).job_endpoint
    return endpoint


def check_beam(given: Sequence[str], workers: int | None = None) -> None:
    """Refuse options for Beam that cannot work, and a job service that does not answer.

    `workers` is what the user asked for, if anything.

    Raises:
        AssayError: what is wrong, before anything is read; after CONNECT_SECONDS at most.
    """
    check_options(given, workers)
    endpoint = find_endpoint(given)
    if endpoint is None:
        return
    known = _ask(endpoint)
    if unknown := list_unknown(given, known):
        raise AssayError(unknown[0])


def _ask(endpoint: str) -> list[str]:
    """Return the names of the options that a job service knows."""
    with grpc.insecure_channel(endpoint) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=CONNECT_SECONDS)
        except grpc.FutureTimeoutError:
            raise AssayError(
                f"--beam=--job_endpoint={endpoint}: no job service answers there "
                f"({CONNECT_SECONDS:.0f} s waited)"
            ) from None
        try:
            answer = beam_job_api_pb2_grpc.JobServiceStub(channel).DescribePipelineOptions(
                beam_job_api_pb2.DescribePipelineOptionsRequest(), timeout=CONNECT_SECONDS
            )
        except grpc.RpcError as error:
            raise AssayError(
                f"--beam=--job_endpoint={endpoint}: no job service of Beam's ({describe(error)})"
            ) from None
    return [option.name for option in answer.options]


def describe(error: grpc.RpcError) -> str:
    """Return what gRPC says of a failure, in one line."""
    if not isinstance(error, grpc.Call):
        return str(error) or type(error).__name__
    return f"{error.code().name}: {' '.join((error.details() or '').split())}"


def explain_loss(error: BaseException, endpoint: str) -> BaseException:
    """Return the end of a job that gRPC or the job service is the cause of in words; any other
    error as it is.
    """
    if isinstance(error, grpc.FutureTimeoutError):
        return ServiceLost(f"the job service at {endpoint} does not answer; {AGAIN}")
    if isinstance(error, grpc.RpcError):
        return ServiceLost(f"the job service at {endpoint} is gone ({describe(error)}); {AGAIN}")
    if isinstance(error, AssayError):
        return error
    if CANCELLED in str(error):
        return ServiceLost(f"the job was cancelled at the job service at {endpoint}; {AGAIN}")
    if CALL.search(str(error)):
        told = describe_failure(error)
        return ServiceLost(f"the job service at {endpoint} cannot go on ({told}); {AGAIN}")
    return error


class Submission:
    """A job on its way to a job service or there; it can be cancelled at any moment."""

    def __init__(self) -> None:
        self._result: Any = None  # Beam's PipelineResult
        self._known = threading.Event()

    def submitted(self, result: Any) -> None:  # noqa: ANN401
        """Note what Beam returned for the job."""
        self._result = result
        self._known.set()

    def cancel(self) -> bool:
        """Cancel the job; return whether the job service said so within CANCEL_SECONDS."""
        ended = threading.Event()
        thread = threading.Thread(target=self._cancel, args=(ended,), name="cancel", daemon=True)
        thread.start()
        thread.join(CANCEL_SECONDS)
        return ended.is_set()

    def _cancel(self, ended: threading.Event) -> None:
        if not self._known.wait(CANCEL_SECONDS):
            return
        try:
            if not PipelineState.is_terminal(self._result.state):
                self._result.cancel()
            while not PipelineState.is_terminal(self._result.state):
                time.sleep(POLL_SECONDS)
        except Exception as error:  # whatever a runner's own result raises
            log.debug("the job could not be cancelled", exc_info=error)
        else:
            ended.set()
