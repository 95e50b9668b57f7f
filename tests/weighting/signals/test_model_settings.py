"""Which models score, and the signals that follow from that."""

import pytest

from weighting.errors import AssayError
from weighting.signals.model_settings import ModelSettings


@pytest.mark.parametrize(
    ("values", "more"),
    [
        ({}, ()),
        ({"checkpoints": 2}, ("excess", "change")),
        ({"short": 8}, ("context_gain",)),
        ({"second": "other"}, ("disagreement",)),
    ],
)
def test_signals_follow_from_the_models(values, more):
    assert ModelSettings("run", **values).signals == ("nll", "entropy", *more)


@pytest.mark.parametrize("values", [{"checkpoints": 0}, {"short": -1}])
def test_numbers_out_of_range_are_named(values):
    (name,) = values
    with pytest.raises(AssayError, match=f"{name} is {values[name]}, must be ≥"):
        ModelSettings("run", **values)
