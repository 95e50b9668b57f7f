"""Several processes are one run: the same curve, and the same bytes after a kill."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
import torch

from trainer.checkpoint import find_latest
from trainer.flat import flatten, override
from trainer.metrics import read_rows
from trainer.ranks import ALONE, Ranks, read_ranks
from trainer.train import train
from weighting.errors import AssayError

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def start(tiny, tmp_path):
    """Start two processes through torchrun."""
    started = []

    def launch(out, **values):
        config = tmp_path / "config.json"
        config.write_text(json.dumps(flatten(override(tiny, values))))
        torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        arguments = ["--nproc-per-node", "2", "-m", "trainer", "train", "--json"]
        where = ["--config", str(config), "--out", str(out)]
        process = subprocess.Popen(
            [*torchrun, *arguments, *where],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        started.append(process)
        return process

    yield launch
    for process in started:
        kill(process)


def kill(process):
    """Kill torchrun and its workers, which lead process groups of their own, at once."""
    if process.poll() is None:
        family = psutil.Process(process.pid)
        for member in [*family.children(recursive=True), family]:
            member.kill()
        process.communicate()


def finish(process):
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return output


def wait_for_step(out, step, process):
    while process.poll() is None and len(read_rows(out / "metrics.jsonl")) < step:
        time.sleep(0.01)
    assert process.poll() is None


def read_bytes(out):
    return {path.name: path.read_bytes() for path in find_latest(out / "checkpoints").iterdir()}


def check_same_curve(one, two, steps):
    """The first rows of two runs are equal but for rounding; later it would add up."""
    rows = [read_rows(out / "metrics.jsonl")[:steps] for out in (one, two)]
    for field in set(rows[0][0]) - {"tokens_per_second", "matmul_share"}:
        expected, found = ([row[field] for row in each] for each in rows)
        np.testing.assert_allclose(found, expected, rtol=2e-5)
    ends = [read_rows(out / "evaluations.jsonl")[-1] for out in (one, two)]
    assert ends[0]["validation_tokens"] == ends[1]["validation_tokens"]
    assert ends[0]["validation_nll"] == pytest.approx(ends[1]["validation_nll"], rel=1e-2)


def test_two_processes_are_one_run_and_survive_what_one_does(start, tiny, tmp_path):
    one, two, cut = (tmp_path / name for name in ("one", "two", "cut"))
    values = {"steps": 250, "save_every": 50, "eval_every": 250, "batch": 6}
    values |= {"objective": "weighted", "lr": 1e-3}
    output = finish(start(two, **values))
    assert len(output.splitlines()) == 251  # one process speaks
    train(override(tiny, values), one)
    check_same_curve(one, two, 8)

    killed = start(cut, **values)
    wait_for_step(cut, 70, killed)
    kill(killed)
    stopped = start(cut, **values)
    wait_for_step(cut, 120, stopped)
    stopped.terminate()
    _, errors = stopped.communicate(timeout=60)
    assert stopped.returncode != 0
    assert errors.count("trainer: ") == 1
    assert "run again to resume (SIGTERM)" in errors
    finish(start(cut, **values))
    assert read_bytes(cut) == read_bytes(two)


def test_alone_sums_and_gathers_are_the_values_themselves():
    values = torch.arange(3.0)
    assert ALONE.sum(values) is values
    assert ALONE.gather(values) is values
    assert ALONE.gather_objects("a") == ["a"]


def test_the_environment_of_torchrun_is_read(monkeypatch):
    assert read_ranks() == ALONE
    for name, value in (("RANK", "3"), ("WORLD_SIZE", "8"), ("LOCAL_RANK", "1")):
        monkeypatch.setenv(name, value)
    assert read_ranks() == Ranks(3, 8, 1)
    monkeypatch.setenv("RANK", "three")
    with pytest.raises(AssayError, match=r"environment of torchrun: .*'three'"):
        read_ranks()
