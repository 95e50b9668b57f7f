"""What a run took: attempts add up, and equal runs stay equal whatever they took."""

from dataclasses import replace

from weighting.contracts.timings import STAGES, Attempt, StageTiming, Timings, tell_time

FIRST = Attempt("2026-12-01T00:00:00.000Z", 1.5, False, memory=70, read=10, written=None)
SECOND = Attempt("2026-12-01T00:01:00.000Z", 2.0, True, memory=50, read=5, written=None)


def test_attempts_add_up_and_memory_is_the_highest():
    timing = StageTiming([FIRST, SECOND], disk=9)
    assert (timing.seconds, timing.memory, timing.read, timing.written) == (3.5, 70, 15, None)
    known = StageTiming([replace(FIRST, written=3), SECOND])
    assert known.written == 3
    assert (StageTiming().seconds, StageTiming().memory, StageTiming().read) == (0, 0, None)


def test_times_are_utc_and_sort_as_text():
    first, second = tell_time(), tell_time()
    assert first <= second
    assert first.endswith("Z")
    assert len(first) == len("2026-12-01T00:00:00.000Z")


def test_stages_are_listed_in_the_order_in_which_they_run():
    timings = Timings(stages={name: StageTiming(disk=n) for n, name in enumerate(sorted(STAGES))})
    assert [name for name, _ in timings.list_stages()] == list(STAGES)
