"""The room that a run needs is looked at before its work begins."""

import io
from collections import namedtuple

import pytest
from rich.console import Console

from flows.operations import disk
from flows.operations.disk import check_room, estimate_room
from flows.operations.log import RunLog, read_last_command
from flows.run.folder import Claim, claim_run
from pipelines.readers.records import Slice
from pipelines.work.units import Unit
from weighting.errors import AssayError

TEXT = 1_000_000_000
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def claimed(tmp_path):
    """Claim a folder for a run of 1 GB of text."""

    def claim(**recipe):
        units = [Unit(0, (Slice("/a", "a", "jsonl", 0, -1, TEXT),))]
        claim = Claim([], {"name": "small", **recipe}, "code", [], units)
        return claim_run(tmp_path / "run", claim)

    return claim


def check(run, free, monkeypatch):
    monkeypatch.setattr("flows.operations.disk.shutil.disk_usage", lambda _: Usage(0, 0, int(free)))
    text = io.StringIO()
    check_room(run, Console(file=text, width=300), RunLog(run.folder).open())
    return text.getvalue()


def test_enough_room_is_not_talked_about(claimed, monkeypatch):
    run = claimed()
    assert check(run, TEXT * disk.PEAK + disk.FIXED, monkeypatch) == ""
    assert read_last_command(run.folder) == []


def test_between_peak_and_final_size_there_is_a_warning(claimed, monkeypatch):
    run = claimed()
    told = check(run, TEXT * disk.PEAK * 0.9, monkeypatch)
    assert told.startswith("only ")
    assert told.endswith("it may not fit\n")
    assert told.count("\n") == 1
    assert read_last_command(run.folder)[-1]["event"] == "warning"


def test_below_the_final_size_nothing_is_begun(claimed, monkeypatch):
    run = claimed()
    with pytest.raises(AssayError, match="make room, or name an --out on another disk") as caught:
        check(run, TEXT * (disk.FINAL - disk.SIGNALS) * 0.9, monkeypatch)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_what_a_run_has_taken_already_counts_as_room_for_it(claimed, monkeypatch):
    run = claimed()
    monkeypatch.setattr("flows.operations.disk.shutil.disk_usage", lambda _: Usage(0, 0, 1000))
    before = estimate_room(run).free
    (run.folder / "some").write_bytes(b"x" * 5000)
    assert estimate_room(run).free == before + 5000


def test_signals_that_are_not_kept_take_no_room_in_the_end(claimed):
    kept = estimate_room(claimed(signals={"keep": True})).final
    (claimed(signals={"keep": True}).folder / "run.json").unlink()
    assert estimate_room(claimed(signals={"keep": False})).final < kept
