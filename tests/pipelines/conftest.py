"""Fixtures of the pipelines' tests.

finished   a run of a small corpus with one rare token in it, in one process
answering  Beam builds its pipelines in two thirds of the time
fresh      each test looks at remote inputs anew, and waits for nothing
"""

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from pipelines.readers.streams import retries
from pipelines.readers.streams.remote import COPIES
from pipelines.work.units import plan
from tests.beam import answering_once
from tests.conftest import write_corpus
from tests.pipelines.jobs import RunCounts, run_jobs

UNIT_BYTES = 12_000  # four units
RARE = "~"  # a token of its own, once in the corpus


class Finished(NamedTuple):
    """A run with its inputs, the units with their sizes, and its counts."""

    inputs: list[Path]
    run: Path
    sizes: dict[int, int]
    counts: RunCounts


@pytest.fixture(scope="session", autouse=True)
def answering():
    """See the module docstring."""
    with answering_once():
        yield


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """See the module docstring."""
    monkeypatch.setattr(retries, "WAITS", (0.0, 0.0, 0.0))
    yield
    COPIES.forget()


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Finished:
    """See the module docstring."""
    folder = tmp_path_factory.mktemp("finished")
    inputs = write_corpus(folder / "corpus")
    plant(inputs[0])
    counts = run_jobs(inputs, folder / "run", target_bytes=UNIT_BYTES)
    units = plan([str(path) for path in inputs], UNIT_BYTES).units
    sizes = {unit.uid: sum(piece.size for piece in unit.slices) for unit in units}
    return Finished(inputs, folder / "run", sizes, counts)


def plant(path: Path) -> None:
    """Put the rare token into the middle of a word of one record."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    longest = max(rows, key=lambda row: len(row["text"]))
    longest["text"] += f" Somebody put ice cre{RARE}am in the microwave."
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
