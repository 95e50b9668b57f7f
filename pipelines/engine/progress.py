"""Progress of a job, read off the disk: how many units have left their summary.

Works alike for one process, worker processes and a cluster that shares the folder, because
nothing has to be sent back. What an earlier command finished counts as done, but neither into the
rate nor into the time that is left: those are of this command's own work.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import (
    BarColumn,
    GetTimeCallable,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import (
    Progress as Bars,
)
from rich.text import Text

from pipelines.work.files import Step

LINE_SECONDS = 30.0  # between two lines of progress, where no bar can move

Tell = Callable[[str], object]


class Done(NamedTuple):
    """What units add up to: records or tokens, and bytes of text."""

    amount: int
    bytes: int


class Rate(ProgressColumn):
    """What is done, and how fast this command does it: records and MB of text, or tokens."""

    def render(self, task: Task) -> Text:
        """Return the amount and the rate; nothing before the first unit is done."""
        done, before = task.fields["done"], task.fields["before"]
        if not done.amount:
            return Text("")
        in_tokens = task.fields["measure"] == "tokens"
        told = f"{done.amount / 1e6:.2f} M tokens" if in_tokens else f"{done.amount:,} records"
        seconds = _measure_seconds(task)
        if done == before or not seconds:
            return Text(told)
        if in_tokens:
            return Text(f"{told}, {(done.amount - before.amount) / seconds / 1e6:.2f} M/s")
        return Text(f"{told}, {(done.bytes - before.bytes) / seconds / 1e6:.1f} MB/s")


class Left(ProgressColumn):
    """The time that is left at this command's mean rate, by bytes of text."""

    def render(self, task: Task) -> Text:
        """Return hours, minutes and seconds; dashes before the first unit of this command."""
        total, done, before = task.total or 0, task.fields["done"], task.fields["before"]
        if done.bytes >= total:
            return Text("0:00:00", "progress.remaining")
        seconds, own = _measure_seconds(task), done.bytes - before.bytes
        if not own or not seconds:
            return Text("-:--:--", "progress.remaining")
        left = timedelta(seconds=int((total - done.bytes) * seconds / own))
        return Text(str(left), "progress.remaining")


class Progress:
    """Progress bars on a terminal; elsewhere a line now and then, and one a step when all is done.

    `tell` is given the lines where they are not, or not only, for the console: for a log.
    """

    def __init__(
        self,
        console: Console,
        get_time: GetTimeCallable | None = None,
        tell: Tell | None = None,
    ) -> None:
        self._console, self._get_time = console, get_time
        self._tell = tell or (None if console.is_terminal else partial(console.print, style="dim"))
        self.amounts: dict[str, int] = {}  # of each step, the records or tokens that are done

    @contextmanager
    def watch(
        self, steps: Sequence[Step[Any]], sizes: Mapping[int, int], measure: str
    ) -> Iterator[Callable[[], None]]:
        """Show one bar a step over units with the given bytes of text.

        `measure` is "records" or "tokens": what the units' summaries count. Yields the function
        that brings the bars up to date.
        """
        with Bars(*_list_columns(), console=self._console, get_time=self._get_time) as bars:
            tasks = [_StepBar(bars, step, sizes, measure) for step in steps]
            due = bars.get_time() + LINE_SECONDS

            def tick() -> None:
                nonlocal due
                for task in tasks:  # every step waits for all units of the one before
                    if not task.update():
                        break
                if self._tell and bars.get_time() >= due:
                    self._tell(task.describe())
                    due = bars.get_time() + LINE_SECONDS

            yield tick
            tick()
            self.amounts |= {task.name: task.amount for task in tasks}


class _StepBar:
    """The bar of one step, and which of its units it has counted."""

    def __init__(self, bars: Bars, step: Step[Any], sizes: Mapping[int, int], measure: str) -> None:
        self._bars, self._step = bars, step
        self._sizes, self._measure = sizes, measure
        self._seen: set[int] = set()
        self._done = before = self._count_new(Done(0, 0))
        self._task = bars.add_task(
            step.name,
            start=False,
            total=sum(sizes.values()),
            completed=before.bytes,
            done=before,
            before=before,
            measure=measure,
        )

    @property
    def name(self) -> str:
        """The step's name."""
        return self._step.name

    @property
    def amount(self) -> int:
        """The records or tokens that are done."""
        return self._done.amount

    def describe(self) -> str:
        """Return what the bar shows, as words."""
        task = self._bars.tasks[self._task]
        parts = [f"{self.name}: {task.percentage:.0f} %", Rate().render(task).plain]
        return ", ".join([*filter(None, parts), f"left {Left().render(task).plain}"])

    def update(self) -> bool:
        """Count the units that finished since; say whether all have. The first call starts it."""
        if not self._bars.tasks[self._task].started:
            self._bars.start_task(self._task)
        if len(self._seen) < len(self._sizes):  # a finished step is not looked at any more
            self._done = self._count_new(self._done)
            self._bars.update(self._task, completed=self._done.bytes, done=self._done)
        return len(self._seen) >= len(self._sizes)

    def _count_new(self, done: Done) -> Done:
        new = self._step.list_done() - self._seen
        self._seen |= new
        amounts = (getattr(self._step.read(uid), self._measure) for uid in new)
        sizes = (self._sizes.get(uid, 0) for uid in new)
        return Done(done.amount + sum(amounts), done.bytes + sum(sizes))


def _measure_seconds(task: Task) -> float:
    return task.finished_time or task.elapsed or 0.0


def _list_columns() -> Sequence[ProgressColumn]:
    return (
        TextColumn("{task.description:<8}"),
        BarColumn(bar_width=10),
        TextColumn("{task.percentage:>3.0f} %"),
        Rate(),
        TimeElapsedColumn(),
        TextColumn("left"),
        Left(),
    )
