"""Progress bars, read off the units that have left their summary."""

import io

from rich.console import Console

from pipelines.engine.progress import Progress
from pipelines.weigh.shard_summary import WeighSummary
from pipelines.work.folder import WorkFolder
from pipelines.work.summaries import CleanSummary

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
