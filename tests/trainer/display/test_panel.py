"""The panel of a run: what it says, and that it fits."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tests.trainer.records import make_evaluation, make_metrics
from trainer.display.panel import BLOCKS, LETTERS, WIDEST, RunPanel, draw_sparkline, tell_time


class Clock:
    """A clock that stands still until it is set."""

    now = 100.0

    def __call__(self):
        return self.now


def evaluate(step, nll):
    return make_evaluation(step, nll, bits_per_byte=nll / 2)


def draw(state, width=100, encoding="utf-8"):
    file = io.TextIOWrapper(io.BytesIO(), encoding)
    Console(file=file, width=width, _environ={}).print(state)
    file.seek(0)
    return file.read()


def find(text, label):
    """Return what stands behind a label, to the end of its column."""
    return text.partition(f"{label} ")[2].partition("\n")[0].strip(" │|").split("   ")[0]


@pytest.fixture
def state():
    return RunPanel(2000, clock=Clock())


@pytest.mark.parametrize("width", [24, 40, 60, 77, 78, 100, 240])
def test_every_line_is_as_wide_as_the_panel(state, width):
    for step in range(1, 60):
        state.add(make_metrics(step * 10, tokens=10**13, tokens_per_second=1e7))
        state.add(evaluate(step * 10, 2.0))
    assert {len(line) for line in draw(state, width).splitlines()} == {min(width, WIDEST)}


@pytest.mark.parametrize("width", [60, 100])
def test_it_says_how_far_how_well_and_how_fast(state, width):
    state.add(make_metrics(10, 3.0))
    state.add(make_metrics(20, 2.0, nll=2.5))
    state.add(evaluate(20, 2.125))
    text = draw(state, width)
    assert "step 20 of 2,000" in text
    assert " 1%" in text
    wanted = {
        "loss": "2.0000  █▁",
        "nll": "2.5000",
        "validation": "2.1250  ▁",
        "bits/byte": "1.0625",
        "speed": "640 tokens/s",
        "matmul": "25.0% of measured rate",
        "seen": "1,280 tokens",
        "lr": "1.00e-03",
        "norm": "0.500",
    }
    assert {label: find(text, label) for label in wanted} == wanted


def test_the_best_evaluation_outlives_later_and_worse_ones(state):
    for step, nll in enumerate([3.0, 2.0, 2.5, *[2.25] * 200], start=1):
        state.add(evaluate(step, nll))
    text = draw(state)
    assert find(text, "best") == "2.0000  step 2"
    assert find(text, "validation").startswith("2.2500")


def test_what_is_not_known_yet_is_a_dash(state):
    state.clock.now += 7
    empty = draw(state)
    assert "step 0 of 2,000" in empty
    assert "elapsed 0:00:07 ─╯" in empty
    assert {find(empty, label) for label in ("loss", "best", "matmul", "norm")} == {"-"}
    state.add(make_metrics(10, matmul_share=None))
    state.add(make_evaluation(10, 2.0))
    text = draw(state)
    assert (find(text, "matmul"), find(text, "bits/byte")) == ("-", "-")
    assert find(text, "validation") == "2.0000  ▁"


def test_time_left_by_the_speed_of_the_first_row_then_by_the_pace_between_rows(state):
    assert state.seconds_left() is None
    state.clock.now += 90  # compiling
    state.add(make_metrics(1000))  # 64 tokens a step, 640 a second
    assert state.seconds_left() == pytest.approx(100)
    state.clock.now += 30
    state.add(make_metrics(1100))
    assert state.seconds_left() == pytest.approx(900 * 0.3)
    state.clock.now += 10
    assert state.seconds_left() == pytest.approx(900 * 0.3 - 10)
    assert "elapsed 0:02:10, left 0:04:20" in draw(state)
    state.clock.now += 1000
    assert state.seconds_left() == 0


def test_rows_of_before_are_shown_and_do_not_count_for_the_pace(state):
    for step in (1000, 1100, 1200):
        state.remember(make_metrics(step, 4.0))
    state.remember(evaluate(1100, 1.5))
    assert state.seconds_left() is None
    assert "step 1,200 of 2,000" in draw(state)
    state.add(make_metrics(1100, 3.0))  # the last checkpoint was older than the last row
    assert find(draw(state), "loss") == "3.0000  █▁"
    assert find(draw(state), "best") == "1.5000  step 1,100"
    assert state.seconds_left() == pytest.approx(90)


def test_an_encoding_without_blocks_gets_letters(state):
    for step, loss in enumerate([3.0, 2.0, 2.5], start=1):
        state.add(make_metrics(step, loss))
    text = draw(state, encoding="latin-1")
    assert text.isascii()
    assert "2.5000  #_=" in text


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.sampled_from([BLOCKS, LETTERS]))
def test_a_sparkline_rises_where_the_values_do(values, marks):
    heights = [marks.index(mark) for mark in draw_sparkline(values, marks)]
    assert len(heights) == len(values)
    assert heights[values.index(min(values))] == 0
    assert max(heights) == (len(marks) - 1 if max(values) > min(values) else 0)
    ordered = sorted(zip(values, heights, strict=True))
    assert [height for _, height in ordered] == sorted(heights)


def test_times_in_hours_and_days():
    assert tell_time(59.9) == "0:00:59"
    assert tell_time(90061) == "1 day, 1:01:01"
