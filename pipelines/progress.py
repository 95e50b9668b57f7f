"""Progress of a job, read off the disk: how many units have left their summary.

Works alike for one process, worker processes and a cluster that shares the folder, because
nothing has to be sent back.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import (
    Progress as Bars,
)
from rich.text import Text

from pipelines.work import Work


class Rate(ProgressColumn):
    """Text bytes a second over the whole stage."""

    def render(self, task: Task) -> Text:
        """Return the rate in MB/s, or a dash before the first unit is done."""
        done = task.fields.get("bytes", 0)
        if not done or not task.elapsed:
            return Text("- MB/s")
        return Text(f"{done / task.elapsed / 1e6:.1f} MB/s")


class Progress:
    """Progress bars on a terminal; silent when the console is none."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def watch(
        self, work: Work, stages: Sequence[str], sizes: Mapping[int, int]
    ) -> Iterator[Callable[[], None]]:
        """Show one bar a stage over units of the given sizes; yield the function that updates."""
        columns = (
            TextColumn("{task.description:<10}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("units"),
            Rate(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        mean = sum(sizes.values()) / max(1, len(sizes))
        with Bars(*columns, console=self._console, transient=False) as bars:
            tasks = {stage: bars.add_task(stage, total=len(sizes)) for stage in stages}

            def tick() -> None:
                for stage, task in tasks.items():
                    done = work.count_done(stage)
                    bars.update(task, completed=done, bytes=done * mean)

            yield tick
            tick()
