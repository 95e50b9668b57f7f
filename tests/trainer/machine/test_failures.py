"""What the machine refuses a run: one line that says what to change, from real refusals."""

import errno
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from trainer.config.schema import ModelConfig, ObjectiveConfig, ResolvedConfig
from trainer.machine.failures import explain, explaining, is_of_memory, name_knobs
from weighting.errors import AssayError
from weighting.storage.failures import CannotWrite, OutOfMemory

HERE: dict[str, Any] = {
    "device": "cpu",
    "precision": "float32",
    "compile": "off",
    "threads": 1,
    "ranks": 1,
    "lr": 0.004,
    "warmup": 50,
}
CONFIG = ResolvedConfig(
    **HERE,
    batch=64,
    model=ModelConfig(layers=2, width=32, heads=2, context=128),
)
SHAPE = ["context (128)", "width (32)", "layers (2)"]


def change(objective="plain", vocab=0, **fields):
    return replace(
        CONFIG,
        **fields,
        objectives=ObjectiveConfig(objective=objective),
        model=replace(CONFIG.model, vocab=vocab),
    )


@pytest.mark.parametrize(
    ("config", "vocab_size", "knobs"),
    [
        (CONFIG, 300, ["micro (now 64 windows)"]),
        (change(ranks=2), 300, ["micro (now 32 windows)"]),
        (change(ranks=2, micro=8), 300, ["micro (now 8 windows)"]),
        (change(micro=1), 300, []),
        # 12 bytes a type outweigh 68 a unit of 2 blocks of width 32 from 363 types on.
        (CONFIG, 400, ["micro (now 64 windows)", "ce_chunk (now 8192 targets of 400 types)"]),
        (change(micro=1, vocab=400), 300, ["ce_chunk (now 128 targets of 400 types)"]),
        (change(precision="bfloat16", micro=1), 200, ["ce_chunk (now 128 targets of 200 types)"]),
        (change(ce_chunk=1024), 50_000, ["micro (now 64 windows)"]),
        # Its weights come of this very pass, so that no chunk can be weighed before the others.
        (change("falpha"), 50_000, ["micro (now 64 windows)"]),
        (change("cvar"), 50_000, ["batch (64)"]),
    ],
)
def test_the_knobs_that_apply_with_their_values_the_best_first(config, vocab_size, knobs):
    shape = [f"then {SHAPE[0]}", *SHAPE[1:]] if knobs else SHAPE
    assert name_knobs(config, vocab_size) == [*knobs, *shape]


REFUSED = """
import resource, sys
from pathlib import Path
import numpy as np, pyarrow as pa, torch
from safetensors.torch import save_file
from trainer.config.schema import TrainConfig
from trainer.machine.process_group import ALONE
from trainer.machine.resources import resolve
from trainer.machine.failures import explaining
from trainer.run.metrics import Evaluation, append_row
from weighting.errors import AssayError

def limit(what, size):
    resource.setrlimit(what, (size, size))

def try_each(*refused):
    for ask in refused:
        try:
            with explaining(config, out, 300):
                ask()
        except AssayError as error:
            print(error.exit_code, error)

def write_table():
    table = pa.table({"n": range(100_000)})
    with pa.ipc.new_file(str(out / "a.arrow"), table.schema) as writer:
        writer.write_table(table)

def step():
    matrix = torch.ones(256, 1024, requires_grad=True)
    sum(torch.ones(4096, 256) @ matrix for _ in range(100)).sum().backward()

out = Path(sys.argv[1])
config = resolve(TrainConfig(device="cpu", precision="float32"), ALONE)
limit(resource.RLIMIT_FSIZE, 10_000)
try_each(
    lambda: save_file({"a": torch.zeros(100_000)}, out / "a.safetensors"),
    lambda: append_row(out / "metrics.jsonl", Evaluation("a" * 100_000, 0, 0.0)),
    write_table,
)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
limit(resource.RLIMIT_AS, used + 2**26)
try_each(
    lambda: torch.empty(2**28),
    lambda: np.ones(2**28),
    lambda: pa.allocate_buffer(2**30),
    step,
)
"""


@pytest.fixture(scope="module")
def refused(tmp_path_factory):
    """What a process says that may write 10 KB to a file, and then get 64 MiB of memory."""
    folder = tmp_path_factory.mktemp("run")
    command = [sys.executable, "-c", REFUSED, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line.replace(str(folder), "RUN") for line in done.stdout.splitlines()]


def test_a_disk_that_takes_no_more_names_the_run(refused):
    """The limit fails a write half-way, as a full disk does; Python ignores its signal."""
    assert len(refused) == 7
    (line,) = {*refused[:3]}  # of safetensors, of Python, of Arrow
    assert line.startswith("2 RUN: cannot be written (File too large); make room: ")


def test_a_process_that_gets_no_more_memory_says_what_to_lower(refused):
    tensor, array, buffer, step = refused[3:]
    lower = "; lower micro (now 8 windows), then context (128), width (128), layers (4)"
    assert tensor == f"2 RUN: out of memory on cpu (no room for 1,024 MiB more){lower}"
    assert array == f"2 RUN: out of memory on cpu (no room for 2.00 GiB more){lower}"
    assert buffer == f"2 RUN: out of memory on cpu{lower}"
    assert re.sub(r"\d+ MiB", "N MiB", step) == (
        f"2 RUN: out of memory on cpu (no room for N MiB more){lower}"
    )


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 6.13 GiB. GPU 0 has a total"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes."),
        RuntimeError("std::bad_alloc"),
    ],
)
def test_how_pytorch_words_it_elsewhere(error):
    told = explain(error, CONFIG)
    assert isinstance(told, OutOfMemory)
    assert str(told).startswith("out of memory on cpu")
    assert ("no room for 6.13 GiB more" in str(told)) == ("6.13" in str(error))


def test_a_tensor_file_that_may_not_be_written_is_told_as_such(tmp_path):
    with pytest.raises(Exception, match="os error 2") as caught:
        save_file({"a": torch.zeros(1)}, tmp_path / "nowhere" / "a.safetensors")
    assert explain(caught.value, CONFIG, tmp_path) is None  # a defect of ours, not the disk's
    text = str(caught.value).replace("os error 2", f"os error {errno.ENOSPC}")
    told = explain(type(caught.value)(text), CONFIG, tmp_path)
    assert isinstance(told, CannotWrite)
    assert f"{tmp_path}: cannot be written ({os.strerror(errno.ENOSPC)})" in str(told)


def test_a_file_that_the_system_names_is_the_one_that_is_told(tmp_path):
    denied = PermissionError(errno.EACCES, "Permission denied", "/elsewhere/words.txt")
    assert str(explain(denied, CONFIG, tmp_path)).startswith("/elsewhere/words.txt: ")


def test_what_is_known_already_and_what_nobody_knows_pass_as_they_are(tmp_path):
    for error in (AssayError("as it is"), KeyError("a defect"), RuntimeError("shapes differ")):
        with pytest.raises(type(error)) as caught, explaining(CONFIG, tmp_path, 300):
            raise error
        assert caught.value is error
    assert not is_of_memory(RuntimeError("shapes differ"))


COMMANDS = """
import resource
from trainer.cli import main

def train(out, width):
    shape = ["--context", "8", "--layers", "1", "--heads", "1", "--width", width]
    steps = ["--steps", "2", "--warmup", "0", "--batch", "2", "--threads", "1", "--device", "cpu"]
    print(main(["train", "--shards", "run/shards", "--out", out, *shape, *steps]))

limit = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, limit[1]))
train("disk", "16")
resource.setrlimit(resource.RLIMIT_FSIZE, limit)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**26, used + 2**26))
train("memory", "4096")
"""


def test_the_command_says_it_in_one_line(corpus, tmp_path):
    command = [sys.executable, "-c", COMMANDS]
    path = os.pathsep.join(filter(None, [str(Path.cwd()), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [line for line in done.stdout.splitlines() if line.isdigit()] == ["2", "2"]
    disk, memory = [line for line in done.stderr.splitlines() if "warning" not in line]
    assert disk.startswith(f"trainer: {tmp_path / 'disk'}")
    assert "cannot be written (File too large); make room: what is finished is kept" in disk
    assert memory.startswith(f"trainer: {tmp_path / 'memory'}: out of memory on cpu (no room for ")
    assert "; lower micro (now 2 windows), then context (8), width (4096), layers (1)" in memory
    assert not list(tmp_path.glob("*/checkpoints/step-*"))
