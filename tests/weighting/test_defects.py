"""The line that a command ends with: a message of ours, or where the traceback is."""

import tempfile

import pytest

from weighting import defects
from weighting.defects import describe_end
from weighting.errors import AssayError, BrokenInvariant


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (AssayError("runs/a: no such\nfolder"), ("runs/a: no such folder", 2)),
        (BrokenInvariant("7 tokens are lost"), ("7 tokens are lost", 1)),
        (OSError(28, "No space", "f"), None),
    ],
)
def test_a_known_error_is_its_message(error, end):
    told = describe_end(error)
    if end is None:
        assert told.line.startswith("f: cannot be written")
        assert told.exit_code == 2
    else:
        assert told == end


def test_a_defect_has_its_traceback_in_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    told = describe_end(KeyError("a defect"))
    [path] = tmp_path.iterdir()
    assert told == (f"unexpected KeyError: 'a defect'; the traceback is in {path}", 1)
    assert path.read_text().splitlines()[-1] == "KeyError: 'a defect'"


def test_a_long_one_is_cut_and_told_where_nothing_can_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    monkeypatch.setattr(defects, "MOST_CHARS", 20)
    told = describe_end(KeyError("x" * 100))
    assert told.line.startswith("unexpected KeyError: 'xxxxxxxxx…; KeyError")
