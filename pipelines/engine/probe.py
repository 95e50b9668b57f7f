"""Before the first stage on a job service: its workers prove that they can do the work.

Some elements go through a graph of their own. Whoever gets one must see the run folder at its path,
run the same code on the same libraries, and leave an answer in the folder for the driver to find.
How to find out for *every* worker of a cluster, Beam does not say; each needs the permit besides.
"""

import os
import platform
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam

from pipelines.engine.failures import describe_failure
from pipelines.engine.permit import NotPermitted, Permit
from pipelines.engine.runner import Engine, run
from pipelines.identity import ROOT, list_versions
from weighting.errors import AssayError
from weighting.signals.model_names import ModelKind
from weighting.storage.json_records import read_record, write_record

ELEMENTS = 8
ANSWER_SECONDS = 120.0
PREFIX = ".probe."


class ProbeFailed(AssayError):
    """A worker of the job service cannot do the work of this run."""


@dataclass(frozen=True)
class Answer:
    """What a worker tells of itself; `here` is its current folder."""

    host: str
    here: str
    versions: Mapping[str, str]


def probe(engine: Engine, models: frozenset[ModelKind]) -> list[Answer]:
    """Return what the workers of a job service answer; nothing of workers on this machine.

    `models` are the kinds of the models that score tokens: their code matters as well.

    Raises:
        ProbeFailed: a worker does not see the run folder, or runs other code or libraries; or none
            answered in ANSWER_SECONDS.
        AssayError: the job service is gone.
    """
    folder = engine.folder
    if engine.endpoint() is None or folder is None:
        return []
    _remove_answers(folder)
    step = Prove(describe_worker(models).versions, models)

    def build(pipeline: beam.Pipeline) -> None:
        elements = pipeline | beam.Create(range(ELEMENTS)) | beam.Reshuffle()
        _ = elements | "Prove" >> beam.ParDo(step)

    try:
        _run(engine, build)
        return _read_answers(folder)
    finally:
        _remove_answers(folder)


class Prove(beam.DoFn):
    """Compare a worker with the driver, and leave its answer in the run folder."""

    permit: Permit | None = None

    def __init__(self, versions: Mapping[str, str], models: frozenset[ModelKind]) -> None:
        self._versions, self._models = versions, models

    def process(self, element: int) -> Iterator[int]:
        """Look at one worker; each process answers once."""
        assert self.permit is not None
        answer = describe_worker(self._models)
        try:
            with self.permit.hold():
                check_versions(self._versions, answer)
                name = f"{PREFIX}{answer.host}.{os.getpid()}.json"
                write_record(self.permit.path.with_name(name), answer)
        except NotPermitted:
            raise ProbeFailed(
                f"a worker on {answer.host}, in {answer.here}, does not see "
                f"{self.permit.path.parent} as it is here; it must be the same folder, at the "
                "same path, on every worker"
            ) from None
        yield element


def describe_worker(models: frozenset[ModelKind]) -> Answer:
    """Return what is to be known of this process."""
    python = ".".join(platform.python_version_tuple()[:2])
    versions = {"python": python, **list_versions(models)}
    return Answer(socket.gethostname(), str(Path.cwd()), versions)


def check_versions(wanted: Mapping[str, str], answer: Answer) -> None:
    """Refuse a worker with other code or libraries than the driver.

    Raises:
        ProbeFailed: the message names what differs.
    """
    differing = [
        f"{name} {there} (here {wanted[name]})"
        for name, there in answer.versions.items()
        if there != wanted.get(name)
    ]
    if differing:
        raise ProbeFailed(
            f"a worker on {answer.host}, in {answer.here}, runs other code or libraries, from "
            f"{ROOT}: {', '.join(differing)}"
        )


def _run(engine: Engine, build: Callable[[beam.Pipeline], object]) -> None:
    deadline = time.monotonic() + ANSWER_SECONDS

    def give_up() -> None:
        if time.monotonic() > deadline:
            raise ProbeFailed(
                f"no worker of the job service at {engine.endpoint()} answered within "
                f"{ANSWER_SECONDS:.0f} s"
            )

    try:
        run(engine, build, give_up)
    except AssayError:
        raise
    except Exception as error:  # of code that is not this one, or of the way to the worker
        raise ProbeFailed(
            f"the workers of the job service at {engine.endpoint()} cannot run this code, which "
            f"must be installed there as it is here: {describe_failure(error)}"
        ) from None


def _read_answers(folder: Path) -> list[Answer]:
    answers = [read_record(Answer, path) for path in sorted(folder.glob(f"{PREFIX}*.json"))]
    if not answers:
        raise ProbeFailed(
            f"workers answered in {folder}, and nothing of it is to be seen here: it must be the "
            "same folder on every worker"
        )
    return answers


def _remove_answers(folder: Path) -> None:
    for path in folder.glob(f"{PREFIX}*.json"):
        path.unlink(missing_ok=True)
