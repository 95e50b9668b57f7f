"""Training processes: what one says when it fails (stopping them is in test_ablate)."""

import pytest

from trainer.compare.processes import Command, run_processes
from weighting.errors import AssayError


def test_a_command_that_cannot_start_says_so(tmp_path):
    command = Command("the run", ("train", "--out", str(tmp_path / "out")), tmp_path / "log.txt")
    with pytest.raises(AssayError, match=r"the run failed \(2\): trainer: shards: no folder given"):
        run_processes([command], 1, lambda: None)
