"""Several processes are one run: the same curve, and the same bytes after a kill."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict

import numpy as np
import psutil
import pytest
import torch

from trainer.config.flat import flatten, override
from trainer.machine.process_group import ALONE, Ranks, read_ranks
from trainer.run.checkpoint import find_newest
from trainer.run.metrics import read_evaluations, read_metrics
from trainer.run.train import train
from weighting.errors import AssayError

pytestmark = pytest.mark.timeout(180)


TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


@pytest.fixture
def start(tiny, tmp_path):
    """Start two processes: through torchrun, or with its environment and without its seconds."""
    started = []

    def launch(out, *torchrun, **values):
        config = tmp_path / "config.json"
        config.write_text(json.dumps(flatten(override(tiny, values))))
        trainer = ("-m", "trainer", "train", "--json", "--config", str(config), "--out", str(out))
        places = [{}] if torchrun else describe_places(2)
        processes = [
            subprocess.Popen(
                [sys.executable, *torchrun, *trainer],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, "OMP_NUM_THREADS": "1", **place},
            )
            for place in places
        ]
        started.extend(processes)
        return processes

    yield launch
    kill(started)


def describe_places(count):
    """What torchrun tells each of `count` processes of one machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    shared |= {"WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count}
    places = [{**shared, "RANK": rank, "LOCAL_RANK": rank} for rank in range(count)]
    return [{name: str(value) for name, value in place.items()} for place in places]


def kill(processes):
    """Kill processes at once, and those that they started."""
    living = [psutil.Process(process.pid) for process in processes if process.poll() is None]
    for leader in living:
        for member in [*leader.children(recursive=True), leader]:
            member.kill()
    for process in processes:
        if not process.stdout.closed:
            process.communicate()


def end(processes):
    """Wait for all; return exit codes, what was said, and errors, of all together."""
    said = [process.communicate(timeout=120) for process in processes]
    output, errors = ("".join(parts) for parts in zip(*said, strict=True))
    return {process.returncode for process in processes}, output, errors


def finish(processes):
    codes, output, errors = end(processes)
    assert codes == {0}, errors
    return output


def wait_for_step(out, step, processes):
    def run():
        return all(process.poll() is None for process in processes)

    while run() and len(read_metrics(out)) < step:
        time.sleep(0.01)
    assert run()


def read_bytes(out):
    return {path.name: path.read_bytes() for path in find_newest(out).iterdir()}


def check_same_curve(one, two, steps):
    """The first rows of two runs are equal but for rounding; later it would add up."""
    rows = [read_metrics(out)[:steps] for out in (one, two)]
    for field in set(asdict(rows[0][0])) - {"tokens_per_second", "matmul_share"}:
        expected, found = ([getattr(row, field) for row in each] for each in rows)
        np.testing.assert_allclose(found, expected, rtol=2e-5)
    ends = [read_evaluations(out)[-1] for out in (one, two)]
    assert ends[0].validation_tokens == ends[1].validation_tokens
    assert ends[0].validation_nll == pytest.approx(ends[1].validation_nll, rel=1e-2)


@pytest.mark.slow
def test_two_processes_are_one_run_and_survive_what_one_does(start, tiny, tmp_path):
    one, two, cut = (tmp_path / name for name in ("one", "two", "cut"))
    values: dict[str, str | float] = {"steps": 250, "save_every": 50, "eval_every": 250, "batch": 6}
    values |= {"objective": "weighted", "lr": 1e-3}
    output = finish(start(two, *TORCHRUN, **values))
    assert len(output.splitlines()) == 251  # one process speaks
    train(override(tiny, values), one)
    check_same_curve(one, two, 8)

    killed = start(cut, **values)
    wait_for_step(cut, 70, killed)
    kill(killed)
    stopped = start(cut, **values)
    wait_for_step(cut, 120, stopped)
    stopped[1].terminate()  # the other one learns of it
    codes, _, errors = end(stopped)
    assert codes == {128 + signal.SIGTERM}
    told = [line for line in errors.splitlines() if line.startswith("trainer: ")]
    [line] = [line for line in told if "warning" not in line]  # the first process speaks for both
    assert "run again to resume (SIGTERM)" in line
    finish(start(cut, **values))
    assert read_bytes(cut) == read_bytes(two)


@pytest.mark.slow
def test_ranks_save_and_end_when_torchrun_is_killed(start, tmp_path):
    out = tmp_path / "trained"
    [torchrun] = start(out, *TORCHRUN, steps=10**6, save_every=10**6, eval_every=10**6)
    wait_for_step(out, 20, [torchrun])
    ranks = psutil.Process(torchrun.pid).children(recursive=True)
    torchrun.kill()
    _, left = psutil.wait_procs(ranks, timeout=60)
    assert left == []
    assert int(find_newest(out).name.removeprefix("step-")) >= 20


def test_alone_sums_and_gathers_are_the_values_themselves():
    values = torch.arange(3.0)
    assert ALONE.sum(values) is values
    assert ALONE.gather(values) is values
    assert ALONE.gather_objects("a") == ["a"]


def test_the_environment_of_torchrun_is_read(monkeypatch):
    assert read_ranks() == ALONE
    for name, value in (("RANK", "3"), ("WORLD_SIZE", "8"), ("LOCAL_RANK", "1")):
        monkeypatch.setenv(name, value)
    with pytest.raises(AssayError, match="environment of torchrun: 'MASTER_ADDR'; start with"):
        read_ranks()
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", "29500")
    assert read_ranks() == Ranks(3, 8, 1)
    for wrong, message in (("three", "'three'"), ("8", "RANK 8 of WORLD_SIZE 8")):
        monkeypatch.setenv("RANK", wrong)
        with pytest.raises(AssayError, match=f"environment of torchrun: .*{message}"):
            read_ranks()
