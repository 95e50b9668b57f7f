"""Before the first stage workers prove that they see the run folder and run the same code."""

import shutil

import pytest

from pipelines.engine import probe as probing
from pipelines.engine.permit import Permit, issue
from pipelines.engine.probe import (
    Answer,
    ProbeFailed,
    Prove,
    check_versions,
    describe_worker,
    probe,
)
from pipelines.engine.runner import Engine
from tests.pipelines.engine.services import (
    ROOT,
    list_options,
    pooling,
    serving,
    serving_here,
)


def test_workers_of_this_machine_need_no_proof(tmp_path):
    assert probe(Engine(workers=2, folder=tmp_path), models=frozenset()) == []


def test_workers_of_a_job_service_answer(tmp_path):
    with serving_here() as endpoint:
        answers = probe(Engine(1, list_options(endpoint), tmp_path), models=frozenset())
    assert answers == [describe_worker(models=frozenset())]
    assert list(tmp_path.iterdir()) == []  # no answer and no permit stays


def prove(permit, versions):
    step = Prove(versions, models=frozenset())
    step.permit = permit
    return list(step.process(1))


def test_a_worker_must_see_the_run_folder(tmp_path):
    versions = describe_worker(models=frozenset()).versions
    given = issue(tmp_path)
    assert prove(given, versions) == [1]
    for elsewhere in (Permit(tmp_path / "no" / ".permit", given.nonce), Permit(given.path, "x")):
        with pytest.raises(ProbeFailed, match=r"does not see .* the same folder, at the same path"):
            prove(elsewhere, versions)


def test_a_worker_must_run_the_same_code_and_libraries():
    answer = Answer("far", "/home", {"python": "3.11", "code": "aa", "numpy": "2.1"})
    check_versions(answer.versions, answer)
    with pytest.raises(ProbeFailed) as caught:
        check_versions({"python": "3.11", "code": "bb", "numpy": "2.2"}, answer)
    said = str(caught.value)
    assert said.startswith("a worker on far, in /home, runs other code or libraries")
    assert said.endswith(": code aa (here bb), numpy 2.1 (here 2.2)")


def test_answers_that_are_not_to_be_seen_here_are_none(tmp_path):
    with pytest.raises(ProbeFailed, match="nothing of it is to be seen here"):
        probing._read_answers(tmp_path)


@pytest.mark.slow
def test_a_pool_with_other_code_is_refused(tmp_path):
    """One constant differs; the message names the host, the folder and what differs."""
    other = tmp_path / "other"
    for package in ("weighting", "pipelines", "trainer", "flows"):
        shutil.copytree(ROOT / package, other / package)
    path = other / "pipelines" / "engine" / "failures.py"
    path.write_text(path.read_text().replace("MOST_CHARS = 400", "MOST_CHARS = 401"))
    run = tmp_path / "run"
    run.mkdir()
    with serving(tmp_path) as (endpoint, _):
        with pooling(tmp_path, other) as pool:
            engine = Engine(1, list_options(endpoint, pool), run)
            with pytest.raises(ProbeFailed, match=r"other code or libraries, from .*other: code "):
                probe(engine, models=frozenset())
        with pooling(tmp_path) as pool:
            (answer,) = probe(Engine(1, list_options(endpoint, pool), run), models=frozenset())
    assert answer == Answer(
        answer.host, str(tmp_path), describe_worker(models=frozenset()).versions
    )
