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

from trainer.checkpoint import find_latest, read_tensors
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
        values = {"steps": 60, "save_every": 20, "eval_every": 60, **values}
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


def test_two_processes_draw_the_curve_of_one(start, tiny, tmp_path):
    values = {"steps": 8, "save_every": 8, "eval_every": 4, "batch": 6, "objective": "weighted"}
    output = finish(start(tmp_path / "two", **values))
    train(override(tiny, values), tmp_path / "one")
    assert len(output.splitlines()) == 10  # one process speaks
    for name in ("metrics.jsonl", "evaluations.jsonl"):
        one, two = (read_rows(tmp_path / n / name) for n in ("one", "two"))
        assert [row["tokens"] for row in one if "tokens" in row] == [
            row["tokens"] for row in two if "tokens" in row
        ]
        for field in set(one[0]) - {"tokens_per_second", "matmul_share"}:
            expected = [row[field] for row in one]
            np.testing.assert_allclose([row[field] for row in two], expected, rtol=2e-5)
    one, two = (
        read_tensors(find_latest(tmp_path / n / "checkpoints"), "model") for n in ("one", "two")
    )
    for name in one:
        torch.testing.assert_close(one[name], two[name], atol=1e-4, rtol=1e-3)


def test_killed_or_stopped_processes_resume_to_the_bytes_of_undisturbed_ones(start, tmp_path):
    finish(start(tmp_path / "whole"))
    cut = tmp_path / "cut"
    killed = start(cut, log_every=1)
    wait_for_step(cut, 25, killed)
    kill(killed)
    stopped = start(cut, steps=60)
    wait_for_step(cut, 45, stopped)
    stopped.terminate()
    _, errors = stopped.communicate(timeout=60)
    assert stopped.returncode != 0
    assert errors.count("trainer: ") == 1
    assert "run again to resume (SIGTERM)" in errors
    finish(start(cut))
    assert read_bytes(cut) == read_bytes(tmp_path / "whole")


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
