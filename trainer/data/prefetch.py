"""One batch ahead: a thread loads the next batch while the consumer computes on this one."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")


@contextmanager
def prefetching(load: Callable[[int], Item], first: int, stop: int) -> Iterator[Iterator[Item]]:
    """Yield load(first) to load(stop - 1), the next one being loaded while one is in use.

    An error of `load` is raised where the consumer asks for that item. The thread ends with the
    context, however the consumer leaves it.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="prefetch") as thread:
        yield _one_ahead(thread, load, first, stop)


def _one_ahead(
    thread: ThreadPoolExecutor, load: Callable[[int], Item], first: int, stop: int
) -> Iterator[Item]:
    ahead = [thread.submit(load, first)] if first < stop else []
    for step in range(first, stop):
        item = ahead.pop().result()
        if step + 1 < stop:
            ahead.append(thread.submit(load, step + 1))
        yield item
