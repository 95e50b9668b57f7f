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
        with Bars(*_list_columns(), console=self._console) as bars:
            tasks = [_StepBar(bars, step, sizes, measure) for step in steps]

            def tick() -> None:
                ready = True  # every step waits for all units of the one before
                for task in tasks:
                    ready = task.update(ready)

            yield tick
            tick()


class _StepBar:
    """The bar of one step, and which of its units it has counted."""

    def __init__(self, bars: Bars, step: Step[Any], sizes: Mapping[int, int], measure: str) -> None:
        self._bars, self._step = bars, step
        self._sizes, self._measure = sizes, measure
        self._seen: set[int] = set()
        total = sum(sizes.values())
        self._task = bars.add_task(step.name, False, total, amount=0, bytes=0, measure=measure)

    def update(self, ready: bool) -> bool:
        """Count the units that finished since; say whether all have. It starts when `ready`."""
        if ready and not self._bars.tasks[self._task].started:
            self._bars.start_task(self._task)
        new = self._step.list_done() - self._seen
        self._seen |= new
        state = self._bars.tasks[self._task].fields
        amounts = (getattr(self._step.read(uid), self._measure) for uid in new)
        amount = state["amount"] + sum(amounts)
        size = state["bytes"] + sum(self._sizes.get(uid, 0) for uid in new)
        self._bars.update(self._task, completed=size, amount=amount, bytes=size)
        return len(self._seen) == len(self._sizes)


def _list_columns() -> Sequence[ProgressColumn]:
    return (
        TextColumn("{task.description:<8}"),
        BarColumn(bar_width=16),
        TextColumn("{task.percentage:>3.0f} %"),
        Rate(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
