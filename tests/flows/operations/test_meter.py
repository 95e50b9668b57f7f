"""Attempts at a stage: those that were stopped or killed count, and files are counted once."""

import os
import time

import pytest

from flows.operations import meter as meters
from flows.operations.meter import collect_timings, measure_folder, measuring, read_attempts
from flows.run.folder import Claim, claim_run
from pipelines.readers.records import Slice
from pipelines.work.summaries import TokenizeSummary
from pipelines.work.units import Unit
from weighting.contracts.timings import StageTiming
from weighting.storage.json_records import read_record

BYTES = 3_000_000


@pytest.fixture
def run(tmp_path):
    units = [Unit(n, (Slice("/a", "a", "jsonl", 0, -1, BYTES),)) for n in range(3)]
    return claim_run(tmp_path / "run", Claim([], {"name": "small"}, "code", [], units))


class Killed(BaseException):
    """What ends a stage here."""


def test_attempts_that_were_stopped_are_added_up(run, monkeypatch):
    monkeypatch.setattr(meters, "SAMPLE_SECONDS", 0.01)

    def work():
        with measuring(run, "tokenize"):
            run.job.work.tokenize.finish(0, TokenizeSummary(5, []))
            held = bytearray(60_000_000)
            (run.folder / "some").write_bytes(b"x" * 100_000)
            time.sleep(0.1)
            raise Killed(held[:1])

    with pytest.raises(Killed):
        work()
    assert not run.is_done("tokenize")
    [first] = read_attempts(run, "tokenize")
    with measuring(run, "tokenize"):
        run.job.work.tokenize.finish(1, TokenizeSummary(5, []))
        run.job.work.tokenize.finish(2, TokenizeSummary(5, []))
    timing = run.read_timing("tokenize")
    assert timing.attempts[0] == first
    assert [one.finished for one in timing.attempts] == [False, True]
    assert [one.units for one in timing.attempts] == [{"tokenize": 1}, {"tokenize": 2}]
    assert timing.seconds >= first.seconds >= 0.1
    assert first.memory > 60_000_000
    assert first.written is None or first.written >= 100_000
    assert timing.disk > 100_000
    assert read_attempts(run, "tokenize") == []


def test_an_attempt_is_on_disk_from_its_start(run, monkeypatch):
    monkeypatch.setattr(meters, "SAMPLE_SECONDS", 0.01)
    monkeypatch.setattr(meters, "SAVE_SECONDS", 0.02)
    with measuring(run, "score"):
        [start] = read_attempts(run, "score")
        assert not start.finished
        deadline = time.monotonic() + 30
        while read_attempts(run, "score")[0].memory == 0 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert read_attempts(run, "score")[0].seconds > start.seconds


def test_a_stage_under_way_is_told_with_those_before(run):
    with measuring(run, "curate"):
        pass
    with measuring(run, "verify") as meter:
        timings = collect_timings(run, "verify", meter)
    assert list(timings.stages) == ["curate", "verify"]
    assert timings.text == 3 * BYTES
    assert timings.began == timings.stages["curate"].attempts[0].began <= timings.ended
    assert timings.stages["verify"].attempts[0].finished
    assert timings.host
    assert timings.command


def test_what_a_stage_took_reads_back(run):
    with measuring(run, "weigh"):
        pass
    path = run.folder / "stages" / "weigh.json"
    assert read_record(StageTiming, path) == run.read_timing("weigh")


def test_a_file_of_two_names_is_counted_once(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "one").write_bytes(b"x" * 1000)
    (tmp_path / "a" / "b" / "two").write_bytes(b"x" * 10)
    os.link(tmp_path / "a" / "one", tmp_path / "a" / "b" / "again")
    assert measure_folder(tmp_path) == 1010
    assert measure_folder(tmp_path / "nowhere") == 0
