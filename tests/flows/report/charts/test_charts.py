"""Charts: axes hold the data, marks say what they are, nothing is cut."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.report.charts.axes import WIDTH, find_left, label_tens, scale
from flows.report.charts.bars import bar, bars
from flows.report.charts.histograms import histogram
from flows.report.charts.intervals import Difference, draw_differences
from flows.report.charts.line_charts import Series, lines


@settings(deadline=None)
@given(
    st.floats(-1e6, 1e6),
    st.floats(0, 1e6),
)
def test_scales_hold_the_data_between_round_ticks(low, span):
    axis = scale(low, low + span, 0, 100)
    slack = 1e-9 * max(1, abs(low), abs(low + span))
    assert axis.low <= low + slack
    assert low + span <= axis.high + slack
    assert 2 <= len(axis.ticks) <= 8
    assert axis.place(axis.low) == 0
    assert axis.place(axis.high) == 100
    assert len({label for _, label in axis.ticks}) == len(axis.ticks)


def test_bars_show_what_is_not_nothing():
    assert 'width="0.00%"' in bar(0, "k")
    assert 'width="0.50%"' in bar(1e-9, "k")
    assert 'width="100.00%"' in bar(1, "k")


def test_bars_stand_side_by_side():
    chart = bars([(25, "a"), (0, "b"), (50, "c")], 100)
    assert re.findall(r'x="([\d.]+)%" width="([\d.]+)%"', chart) == [
        ("0.00", "25.00"), ("25.00", "0.00"), ("25.00", "50.00"),
    ]  # fmt: skip
    assert 'width="0.00%"' in bars([(0, "a")], 0)


def test_histogram_counts_every_bin_it_draws():
    chart = histogram([(0, 0.25, 5), (0.25, 0.5, 0), (0.5, 1, 10), (1, 2, 5), (2, 4, 0)])
    assert chart.count("<rect") == 2
    assert "weight 0.5 to 1: 10 tokens, 50.00 %" in chart


def test_lines_escape_their_names():
    chart = lines([Series("<script>", [(0, 1), (1, 2)], 0)], "step", "loss")
    assert "<script>" not in chart
    assert "&lt;script&gt;" in chart


def test_labels_of_tens_are_whole_and_few():
    places, labels = zip(*label_tens(0, 10), strict=True)
    assert labels == ("1", "10", "100", "1,000")
    assert [2**place for place in places] == pytest.approx([1, 10, 100, 1000])
    assert [label for _, label in label_tens(0, 30)] == [
        "1",
        "100",
        "10,000",
        "1,000,000",
        "100,000,000",
    ]


def test_a_plot_leaves_room_for_long_labels():
    short, long = find_left([(0, "1")]), find_left([(0, "1,000,000,000")])
    assert short < long < WIDTH / 2
    chart = lines([Series("a", [(0, 0), (1, 1e9)], 0)], "step", "loss")
    assert f'text x="{long - 6}"' in chart


def test_a_thin_line_stands_behind_and_does_not_widen_the_axes():
    thick = Series("smooth", [(0, 1), (1, 2)], 0)
    thin = Series("raw", [(0, -50), (1, 90)], 0, thin=True)
    chart = lines([thick, thin], "step", "loss")
    assert chart.index("raw") < chart.index("smooth")
    assert "90" not in "".join(re.findall(r"<text[^>]*>([^<]*)", chart))


def test_differences_are_drawn_around_nothing():
    chart = draw_differences(
        [Difference("b", -0.5, 0.25, 1), Difference("c", 0.25, None, 9)], "nats/token"
    )
    (zero,) = re.findall(r'class="neutral" x1="([\d.]+)"', chart)
    left, right = re.findall(r'class="dot c\d" cx="([\d.]+)"', chart)
    assert float(left) < float(zero) < float(right)
    assert [*re.findall(r"line whisker (c\d)", chart)] == ["c1", "c1"]  # colours begin again
