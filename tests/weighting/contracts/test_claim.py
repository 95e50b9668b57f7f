"""What makes a folder a run; data may have the same name."""

import json

import pytest

from weighting.contracts.claim import CLAIM, is_claimed

FIELDS = {"inputs": [], "recipe": {}, "code": "abc"}


@pytest.mark.parametrize(
    ("content", "claimed"),
    [
        (json.dumps(FIELDS), True),
        (json.dumps(FIELDS | {"of_a_later_version": 1}), True),
        (json.dumps({"text": "a document"}), False),
        (json.dumps([FIELDS]), False),
        ('{"inputs": [', False),
        ("", False),
    ],
)
def test_a_claim_is_told_from_data(tmp_path, content, claimed):
    (tmp_path / CLAIM).write_text(content)
    assert is_claimed(tmp_path) == claimed


def test_without_the_file_a_folder_is_no_run(tmp_path):
    assert not is_claimed(tmp_path)
    assert not is_claimed(tmp_path / "nowhere")
    (tmp_path / CLAIM).mkdir()
    assert not is_claimed(tmp_path)
