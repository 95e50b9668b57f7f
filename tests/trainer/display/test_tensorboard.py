"""What TensorBoard reads back of a run, resumed or not, and what happens without it."""

import math
import subprocess
import sys

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.trainer.records import make_evaluation, make_metrics
from trainer.display.tensorboard import name_scalars, writing
from weighting.errors import AssayError


def read(folder):
    """Return step and value of every point by tag, as TensorBoard shows them."""
    events = EventAccumulator(str(folder))
    events.Reload()
    return {
        tag: [(event.step, event.value) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def test_numbers_of_rows_are_scalars_by_step(tmp_path):
    with writing(tmp_path, 0) as report:
        report(make_metrics(1, 2.5, matmul_share=None))
        report(make_metrics(2, 2.25, tokens_per_second=math.nan, matmul_share=None))
        report(make_evaluation(2, 2.0))
    assert read(tmp_path) == {
        "train/ess": [(1, 1.0), (2, 1.0)],
        "train/grad_norm": [(1, 0.5), (2, 0.5)],
        "train/lr": [(1, pytest.approx(1e-3)), (2, pytest.approx(1e-3))],
        "train/tokens_per_second": [(1, 640.0)],
        "train/loss": [(1, 2.5), (2, 2.25)],
        "train/nll": [(1, 2.5), (2, 2.25)],
        "train/tokens": [(1, 64.0), (2, 128.0)],
        "validation/nll": [(2, 2.0)],
        "validation/tokens": [(2, 9.0)],
    }


def test_a_resumed_run_shows_every_step_once(tmp_path):
    with writing(tmp_path, 0) as report:
        for step in range(1, 8):  # the last checkpoint is of step 4
            report(make_metrics(step, 1.0))
        report(make_evaluation(4, 3.0))
        report(make_evaluation(6, 3.0))
    with writing(tmp_path, 4) as report:
        for step in range(5, 9):
            report(make_metrics(step, 0.5))
        report(make_evaluation(6, 2.0))
    seen = read(tmp_path)
    assert seen["train/loss"] == [(step, 1.0 if step < 5 else 0.5) for step in range(1, 9)]
    assert seen["validation/nll"] == [(4, 3.0), (6, 2.0)]


def test_a_run_killed_before_its_first_checkpoint_starts_anew(tmp_path):
    for loss in (1.0, 0.5):
        with writing(tmp_path, 0) as report:
            report(make_metrics(1, loss))
    assert read(tmp_path)["train/loss"] == [(1, 0.5)]


def test_what_was_written_before_an_error_stays(tmp_path):
    def fail():
        with writing(tmp_path, 0) as report:
            report(make_metrics(1, 1.0))
            raise KeyError("a defect")

    with pytest.raises(KeyError, match="a defect"):
        fail()
    assert read(tmp_path)["train/loss"] == [(1, 1.0)]


def test_no_scalar_of_what_is_no_number():
    row = make_metrics(3, 1.0, nll=math.nan, matmul_share=None)
    assert {"train/loss", "train/nll", "train/matmul_share"} & {*name_scalars(row)} == {
        "train/loss"
    }


def test_without_the_library_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with (
        pytest.raises(AssayError, match=r"pip install 'assay\[tensorboard\]'") as caught,
        writing(tmp_path, 0),
    ):
        pass
    assert caught.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []


LOADED = """
import sys, trainer.cli
ours = "trainer.display.tensorboard"
print([name for name in sys.modules if "tensorboard" in name and name != ours])
"""


def test_the_library_is_loaded_when_it_is_used_and_not_before():
    command = [sys.executable, "-c", LOADED]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
