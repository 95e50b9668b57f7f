"""Bounds are inclusive, and a value that is undefined lies within."""

import numpy as np
import pytest

from pipelines.rules.bounds import Bounds


@pytest.mark.parametrize(
    ("bounds", "fails", "text"),
    [
        (Bounds(), [False] * 4, "any"),
        (Bounds(1, None), [True, False, False, False], "≥ 1"),
        (Bounds(None, 1), [False, False, True, False], "≤ 1"),
        (Bounds(1, 1), [True, False, True, False], "1 to 1"),
        (Bounds(0.25, 100_000), [False] * 4, "0.25 to 100000"),
    ],
)
def test_a_value_outside_fails(bounds, fails, text):
    values = np.array([0.5, 1.0, 2.0, np.nan])
    assert bounds.fails(values).tolist() == fails
    assert str(bounds) == text
