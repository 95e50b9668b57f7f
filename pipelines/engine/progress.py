"""Progress of a job, read off the disk: how many units have left their summary.

Works alike for one process, worker processes and a cluster that shares the folder, because
nothing has to be sent back.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
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

from pipelines.work.files import Step


class Rate(ProgressColumn):
    """What was done so far and how fast: records and MB of text a second, or tokens a second."""

    def render(self, task: Task) -> Text:
        """Return the amount and the rate; nothing before the first unit is done."""
        amount, seconds = task.fields["amount"], task.finished_time or task.elapsed or 0.0
        if not amount or not seconds:
            return Text("")
        if task.fields["measure"] == "tokens":
            return Text(f"{amount / 1e6:.2f} M tokens, {amount / seconds / 1e6:.2f} M/s")
        return Text(f"{amount:,} records, {task.fields['bytes'] / seconds / 1e6:.1f} MB/s")


class Progress:
    """Progress bars on a terminal; on other consoles, one line a step when all is done."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def watch(
        self, steps: Sequence[Step[Any]], sizes: Mapping[int, int], measure: str
    ) -> Iterator[Callable[[], None]]:
        """Show one bar a step over units with the given bytes of text.

        `measure` is "records" or "tokens": what the units' summaries count. Yields the function
        that brings the bars up to date.
        """
        columns = (
            TextColumn("{task.description:<8}"),
            BarColumn(bar_width=16),
            TextColumn("{task.percentage:>3.0f} %"),
            Rate(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with Bars(*columns, console=self._console) as bars:
            tasks = {
                step: bars.add_task(
                    step.name, False, sum(sizes.values()), amount=0, bytes=0, measure=measure
                )
                for step in steps
            }
            seen: dict[Step[Any], set[int]] = {step: set() for step in steps}

            def tick() -> None:
                ready = True  # every step waits for all units of the one before
                for step, task in tasks.items():
                    if ready and not bars.tasks[task].started:
                        bars.start_task(task)
                    new = step.list_done() - seen[step]
                    seen[step] |= new
                    state = bars.tasks[task].fields
                    amount = sum(getattr(step.read(uid), measure) for uid in new)
                    size = state["bytes"] + sum(sizes.get(uid, 0) for uid in new)
                    total = state["amount"] + amount
                    bars.update(task, completed=size, amount=total, bytes=size)
                    ready = len(seen[step]) == len(sizes)

            yield tick
            tick()
