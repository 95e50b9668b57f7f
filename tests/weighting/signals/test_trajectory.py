"""Trajectories: the fit against NumPy's, and the four classes at their borders."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighting.signals.trajectory import (
    CLASSES,
    OTHERWISE,
    THRESHOLD,
    TRAJECTORIES,
    classify,
    fit_change,
    list_rules,
)

losses = st.floats(0, 20, width=32)
steps_of = st.lists(st.integers(1, 10**6), min_size=2, max_size=8, unique=True).map(sorted)


@given(steps=steps_of, data=st.data())
def test_the_change_is_that_of_numpys_line(steps, data):
    size = st.lists(losses, min_size=3, max_size=3)
    losses_KxN = np.array(data.draw(st.tuples(*[size] * len(steps))), np.float32)
    places = (np.array(steps) - steps[0]) / (steps[-1] - steps[0])  # well-conditioned for polyfit
    slopes_N = np.polyfit(places, losses_KxN.astype(np.float64), 1)[0]
    changes_N = fit_change(losses_KxN, steps)
    assert changes_N.dtype == np.float32
    np.testing.assert_allclose(changes_N, slopes_N, rtol=1e-4, atol=1e-4)


@given(start=losses, rise=st.floats(-5, 5), steps=steps_of)
def test_a_straight_line_changes_by_its_rise(start, rise, steps):
    places_K = (np.array(steps) - steps[0]) / (steps[-1] - steps[0])
    changes = fit_change((start + rise * places_K)[:, None], steps)
    assert changes[0] == pytest.approx(rise, abs=1e-5)


def test_all_checkpoints_count_not_only_the_ends():
    steps = [0, 10, 20, 30]
    ends_KxN = np.array([[4, 4], [4, 1], [4, 1], [1, 1]], np.float32)
    late, early = fit_change(ends_KxN, steps)
    assert late == pytest.approx(-2.7)
    assert early == pytest.approx(-2.7)
    assert fit_change(np.array([[1], [4], [4], [1]], np.float32), steps)[0] == pytest.approx(0)


def test_steps_count_not_places():
    losses_KxN = np.array([[4.0], [1.0], [1.0]], np.float32)
    slow = fit_change(losses_KxN, [0, 50, 100])[0]
    quick = fit_change(losses_KxN, [0, 10, 100])[0]
    assert slow == pytest.approx(-3)
    assert quick != pytest.approx(-3, abs=0.3)


@pytest.mark.parametrize(
    ("change", "nll", "name"),
    [
        (-0.3, 9.0, "HL"),
        (-0.3, 0.1, "HL"),
        (0.3, 9.0, "LH"),
        (0.3, 0.1, "LH"),
        (0.0, 2.0, "LL"),  # the mean itself is low
        (0.0, np.nextafter(np.float32(2), np.float32(9)), "HH"),
        (-THRESHOLD, 1.0, "LL"),  # has to be passed
        (THRESHOLD, 3.0, "HH"),
        (np.nextafter(np.float32(-THRESHOLD), np.float32(-1)), 3.0, "HL"),
        (np.nextafter(np.float32(THRESHOLD), np.float32(1)), 1.0, "LH"),
    ],
)
def test_classes_at_their_borders(change, nll, name):
    codes = classify(np.array([change], np.float32), np.array([nll], np.float32), 2.0)
    assert codes.dtype == np.uint8
    assert CLASSES[codes[0]] == name


def test_planted_trajectories_are_told_apart():
    steps = [100, 200, 300, 400]
    planted = {
        "HL": [5.0, 4.0, 2.0, 1.0],
        "LL": [0.3, 0.25, 0.2, 0.2],
        "HH": [6.0, 6.1, 5.9, 6.0],
        "LH": [1.0, 1.5, 2.5, 3.0],
    }
    losses_KxN = np.array(list(planted.values()), np.float32).T
    codes = classify(fit_change(losses_KxN, steps), losses_KxN[-1], 2.5)
    assert [CLASSES[code] for code in codes] == list(planted)


def test_every_class_has_its_words_and_one_rule_or_what_is_left():
    rules = [rule.name for rule in list_rules(2.0)]
    assert sorted([*rules, OTHERWISE]) == sorted(CLASSES)
    assert len({one.losses for one in TRAJECTORIES}) == len(CLASSES)
    assert sum(one.published for one in TRAJECTORIES) == pytest.approx(1)
