"""The result of a finished run, found again."""

import json

import pytest

from trainer.machine.process_group import ALONE
from trainer.run.result import RESULT, find_result
from trainer.run.setup import set_up
from trainer.run.train import train
from weighting.errors import BrokenContract


def test_a_result_is_found_and_no_other_file_is_taken_for_one(tiny, tmp_path):
    out = tmp_path / "out"
    identity = set_up(tiny, out, ALONE).identity
    assert find_result(identity, out) is None
    result = train(tiny, out)
    assert find_result(identity, out) == result
    content = json.loads((out / RESULT).read_text())
    del content["final"]
    (out / RESULT).write_text(json.dumps(content))
    with pytest.raises(BrokenContract, match=r"result\.json: .*'final' is missing"):
        find_result(identity, out)
