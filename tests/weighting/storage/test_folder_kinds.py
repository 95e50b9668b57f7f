"""What a folder is, told by what is in it; data of the same names makes none of it."""

import json

import pytest

from weighting.storage.folder_kinds import ABLATION, CURATED, SHARDS, TRAINING, name_kind

CLAIM = {"inputs": [], "recipe": {}, "code": "abc"}
RESULT = {"config": {}, "data": {}, "final": {}, "step": 3}


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("run.json", CLAIM, CURATED),
        ("manifest.json", {"manifest_version": 5}, CURATED),
        ("manifest.json", {"name": "of a web page"}, ""),
        ("plan.json", {"arms": []}, ABLATION),
        ("results.json", {"arms": {}, "baseline": "plain"}, ABLATION),
        ("results.json", [1, 2], ""),
        ("train-00000.arrow", {}, SHARDS),
        ("validation-0.parquet", {}, SHARDS),
        ("documents.parquet", {}, ""),
        ("result.json", RESULT, TRAINING),
        ("result.json", {"score": 1}, ""),
        ("checkpoints/step-00000003/record.json", {}, TRAINING),
        ("checkpoints/epoch-3/model.pt", {}, ""),
        ("notes.txt", {}, ""),
    ],
)
def test_a_folder_is_what_its_files_say(tmp_path, name, content, kind):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    assert name_kind(tmp_path) == kind


def test_a_damaged_file_a_file_and_nothing_are_no_kind(tmp_path):
    (tmp_path / "results.json").write_text('{"arms": ')
    assert name_kind(tmp_path) == ""
    assert name_kind(tmp_path / "results.json") == ""
    assert name_kind(tmp_path / "nowhere") == ""
