"""Student's t against published quantiles and against its own density."""

import math

import numpy as np
import pytest

from trainer.compare.intervals import Interval, correct_holm, find_p, measure, t_quantile

# Two-sided 95 % points as printed in statistical tables.
TABLE = {
    1: 12.7062, 2: 4.3027, 3: 3.1824, 4: 2.7764, 5: 2.5706, 6: 2.4469, 7: 2.3646, 8: 2.3060,
    9: 2.2622, 10: 2.2281, 12: 2.1788, 15: 2.1314, 20: 2.0860, 25: 2.0595, 29: 2.0452, 120: 1.9799,
}  # fmt: skip


@pytest.mark.parametrize(("freedom", "expected"), TABLE.items())
def test_quantiles_of_the_table(freedom, expected):
    assert t_quantile(freedom) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize("freedom", range(1, 30))
def test_the_density_between_the_quantiles_is_95_percent(freedom):
    t = np.linspace(0.0, t_quantile(freedom), 20_001)
    constant = math.gamma((freedom + 1) / 2) / math.gamma(freedom / 2)
    density = constant / math.sqrt(freedom * math.pi) * (1 + t**2 / freedom) ** (-(freedom + 1) / 2)
    assert 2 * np.trapezoid(density, t) == pytest.approx(0.95, abs=1e-6)


def test_interval_of_three_values_by_hand():
    # mean 2, sd 1, so 4.3027 / sqrt(3)
    interval = measure([1.0, 2.0, 3.0])
    assert interval.mean == 2.0
    assert interval.half_width_95 == pytest.approx(2.4841, abs=1e-4)


def test_one_value_has_no_interval_and_no_test():
    assert measure([5.0]) == Interval(5.0, None, (5.0,))
    assert find_p(measure([5.0])) is None


def test_equal_values_that_are_not_zero_leave_no_doubt():
    assert find_p(measure([1.0, 1.0])) == 0.0
    assert find_p(measure([0.0, 0.0])) == 1.0


@pytest.mark.parametrize("size", [2, 3, 4, 9, 10])
def test_p_is_5_percent_where_the_interval_ends_at_zero(size):
    values = [float(number) for number in range(size)]
    half = measure(values).half_width_95
    assert half is not None
    middle = (size - 1) / 2
    assert find_p(measure([v - middle + half for v in values])) == pytest.approx(0.05)
    assert find_p(measure([v - middle - half for v in values])) == pytest.approx(0.05)


def test_p_of_printed_tables():
    # Two-sided: t 4.3027 with 2 degrees of freedom is 5 %, 9.9248 is 1 % (as printed).
    half = 4.302653 / math.sqrt(3)
    for t, p in ((4.302653, 0.05), (9.924843, 0.01), (1.885618, 0.2)):
        mean = t / math.sqrt(3)  # of three values with sd 1
        interval = Interval(mean, half, (mean - 1, mean, mean + 1))
        assert find_p(interval) == pytest.approx(p, abs=1e-6)


def test_holm_by_hand():
    # Holm 1979: 0.01 x 4, 0.02 x 3, then never less than the one before, never above 1.
    assert correct_holm([0.04, 0.01, 0.02, 0.9]) == pytest.approx([0.08, 0.04, 0.06, 0.9])
    assert correct_holm([0.6, 0.7]) == [1.0, 1.0]
    assert correct_holm([]) == []
