"""Progress bars, read off the units that have left their summary."""

import io

import pytest
from rich.console import Console
from rich.progress import Progress as Bars

from pipelines.engine.progress import LINE_SECONDS, Left, Progress, Rate
from pipelines.weigh.shard_summary import WeighSummary
from pipelines.work.files import Step
from pipelines.work.folder import WorkFolder
from pipelines.work.summaries import CleanSummary, TokenizeSummary

SIZES = {0: 3_000_000, 1: 1_000_000}


def test_each_stage_counts_its_own_units(tmp_path):
    work, text = WorkFolder(tmp_path), io.StringIO()
    progress = Progress(Console(file=text, width=120))
    with progress.watch((work.clean, work.write_documents), SIZES, "records") as tick:
        tick()
        work.clean.finish(0, CleanSummary(1200, {}))
        tick()
        tick()  # a unit is counted once
        work.clean.finish(1, CleanSummary(34, {}))
    clean, written = [line for line in text.getvalue().splitlines() if line.strip()]
    assert clean.startswith("clean")
    assert "100 %" in clean
    assert "1,234 records" in clean
    assert written.startswith("write_documents")
    assert "  0 %" in written
    assert "records" not in written


def test_tokens_are_told_in_millions(tmp_path):
    work, text = WorkFolder(tmp_path), io.StringIO()
    for uid in SIZES:
        work.weigh.finish(uid, WeighSummary(500_000))
    with Progress(Console(file=text, width=120)).watch((work.weigh,), SIZES, "tokens"):
        pass
    assert "1.00 M tokens" in text.getvalue()
    assert "M/s" not in text.getvalue()  # of work that was done before


class Clock:
    """A clock that the test sets."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_what_was_there_before_counts_neither_into_the_rate_nor_into_the_time_left(
    tmp_path, monkeypatch
):
    step, clock, seen = WorkFolder(tmp_path).tokenize, Clock(), []
    for uid in range(6):  # of a command that was stopped
        step.finish(uid, TokenizeSummary(2_000_000, []))
    monkeypatch.setattr(Bars, "start", lambda bars: seen.append(bars))
    monkeypatch.setattr(Bars, "stop", lambda bars: None)
    progress = Progress(Console(file=io.StringIO(), width=200), clock)
    sizes = dict.fromkeys(range(10), 1_000_000)
    with progress.watch((step,), sizes, "tokens") as tick:

        def tell():
            tick()
            [task] = seen[0].tasks
            return str(Rate().render(task)), str(Left().render(task)), task.percentage

        tell()  # the step begins
        clock.now += 50
        assert tell() == ("12.00 M tokens", "-:--:--", 60.0)
        step.finish(6, TokenizeSummary(2_000_000, []))
        assert tell() == ("14.00 M tokens, 0.04 M/s", "0:02:30", 70.0)  # 50 s a unit, 3 are left
        clock.now += 10
        step.finish(7, TokenizeSummary(2_000_000, []))
        assert tell() == ("16.00 M tokens, 0.07 M/s", "0:01:00", 80.0)
        for uid in (8, 9):
            step.finish(uid, TokenizeSummary(2_000_000, []))
        assert tell() == ("20.00 M tokens, 0.13 M/s", "0:00:00", 100.0)
    assert progress.amounts == {"tokenize": 20_000_000}


def test_a_step_that_was_finished_before_has_no_rate(tmp_path):
    work, text = WorkFolder(tmp_path), io.StringIO()
    for uid in SIZES:
        work.clean.finish(uid, CleanSummary(600, {}))
    with Progress(Console(file=text, width=120)).watch((work.clean,), SIZES, "records"):
        pass
    assert "1,200 records" in text.getvalue()
    assert "MB/s" not in text.getvalue()


def test_only_the_step_at_work_is_listed(tmp_path, monkeypatch):
    work, listed = WorkFolder(tmp_path), []
    real = Step.list_done

    def list_done(step):
        listed.append(step.name)
        return real(step)

    monkeypatch.setattr(Step, "list_done", list_done)
    progress = Progress(Console(file=io.StringIO()))
    with progress.watch((work.clean, work.write_documents), SIZES, "records") as tick:
        listed.clear()
        tick()
        assert listed == ["clean"]
        for uid in SIZES:
            work.clean.finish(uid, CleanSummary(1, {}))
        tick()
        assert listed == ["clean", "clean", "write_documents"]
        tick()
        assert listed[3:] == ["write_documents"]


@pytest.mark.parametrize("is_terminal", [False, True])
def test_a_log_is_told_a_line_now_and_then(tmp_path, is_terminal):
    step, clock, told = WorkFolder(tmp_path).clean, Clock(), []
    console = Console(file=io.StringIO(), force_terminal=is_terminal)
    with Progress(console, clock, told.append).watch((step,), SIZES, "records") as tick:
        tick()
        clock.now += LINE_SECONDS / 2
        step.finish(0, CleanSummary(1200, {}))
        tick()
        assert told == []
        clock.now += LINE_SECONDS / 2
        tick()
        tick()
    assert told == ["clean: 75 %, 1,200 records, 0.1 MB/s, left 0:00:10"]


def test_a_console_that_is_no_terminal_is_told_too(tmp_path):
    step, clock, text = WorkFolder(tmp_path).clean, Clock(), io.StringIO()
    with Progress(Console(file=text), clock).watch((step,), SIZES, "records") as tick:
        clock.now += LINE_SECONDS
        tick()
        assert text.getvalue() == "clean: 0 %, left -:--:--\n"
