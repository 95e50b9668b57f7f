"""The next item is ready when it is asked for, errors arrive, and no thread stays behind."""

import threading

import pytest

from trainer.data.prefetch import prefetching


def count_threads():
    return sum(thread.name.startswith("prefetch") for thread in threading.enumerate())


@pytest.mark.parametrize(("first", "stop"), [(0, 0), (0, 1), (3, 7), (5, 5)])
def test_items_come_in_order(first, stop):
    with prefetching(str, first, stop) as items:
        assert list(items) == [str(number) for number in range(first, stop)]
    assert not count_threads()


def test_one_item_is_loaded_ahead_and_no_more():
    loaded = [threading.Event() for _ in range(4)]

    def load(number):
        assert threading.current_thread().name.startswith("prefetch")
        loaded[number].set()
        return number

    with prefetching(load, 0, 4) as items:
        for number in items:
            # While this thread has an item in use.
            assert all(event.wait(10) for event in loaded[number : number + 2])
            assert not any(event.is_set() for event in loaded[number + 2 :])


def test_an_error_is_raised_where_its_item_is_asked_for():
    class Broken(Exception):
        pass

    error = Broken("item 2")

    def load(number):
        if number == 2:
            raise error
        return number

    taken = []
    with pytest.raises(Broken) as caught, prefetching(load, 0, 5) as items:
        taken.extend(items)
    assert caught.value is error
    assert taken == [0, 1]
    assert not count_threads()


def test_a_consumer_may_leave_early():
    with prefetching(str, 0, 1000) as items:
        assert next(items) == "0"
        assert count_threads() == 1
    assert not count_threads()


def test_an_error_of_the_consumer_ends_the_thread():
    with pytest.raises(ZeroDivisionError), prefetching(int, 0, 9) as items:
        1 / next(items)
    assert not count_threads()


def test_an_error_ahead_of_a_consumer_that_left_is_its_own_affair():
    def load(number):
        if number == 1:
            raise OSError
        return number

    with prefetching(load, 0, 9) as items:
        assert next(items) == 0
    assert not count_threads()
