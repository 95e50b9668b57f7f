"""Signals of tokens by name: stored, looked up by type, or derived; and their rounding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighting.errors import AssayError
from weighting.signals.registry import (
    LIMIT,
    QUANTUM,
    SIGNALS,
    Kind,
    Signals,
    list_known,
    quantise,
)
from weighting.signals.token_types import Types

TYPES = Types(np.array([7, 0, 2]), np.array([3, 0, 2]), 3)
IDS = np.array([2, 0, 0], np.uint16)
GAIN = np.array([0.5, -1.0, 0.0], np.float32)


def test_signals_of_types_are_looked_up_and_the_others_read():
    signals = Signals(TYPES, IDS, {"ngram_gain": GAIN})
    for name in ("surprisal", "idf", "residual_idf"):
        assert signals[name].tolist() == TYPES.tables[name][[2, 0, 0]].tolist()
    assert signals["ngram_gain"].tolist() == GAIN.tolist()
    assert (signals["ngram_surprisal"] + GAIN).tolist() == signals["surprisal"].tolist()


def test_a_run_has_what_is_stored_and_what_follows_from_it():
    signals = Signals(TYPES, IDS, {"ngram_gain": GAIN, "nll": GAIN})
    assert list(signals) == [
        *("surprisal", "idf", "residual_idf"),
        *("ngram_surprisal", "ngram_gain", "nll"),
    ]
    assert len(signals) == 6
    assert "excess" not in signals
    assert list_known([]) == ["surprisal", "idf", "residual_idf"]
    assert list_known(list(SIGNALS)) == list(SIGNALS)


@pytest.mark.parametrize("name", ["excess", "ngram_surprisal", "rarity"])
def test_a_signal_that_the_run_lacks_is_refused_by_name(name):
    with pytest.raises(AssayError, match=f"{name}.*it has surprisal, idf, residual_idf, nll"):
        Signals(TYPES, IDS, {"nll": GAIN})[name]


def test_only_signals_that_follow_from_others_are_not_stored():
    derived = {name for name, signal in SIGNALS.items() if not signal.stored}
    assert derived == {"surprisal", "idf", "residual_idf", "ngram_surprisal"}
    assert all(signal.stored for signal in SIGNALS.values() if signal.kind is Kind.MODEL)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=20).map(np.array))
def test_rounding_is_to_the_nearest_multiple_within_bounds_and_once(values):
    rounded = quantise(values)
    assert rounded.dtype == np.float32
    assert np.abs(rounded - np.clip(values, -LIMIT, LIMIT)).max() <= QUANTUM / 2
    assert (rounded / np.float32(QUANTUM) == np.rint(rounded / np.float32(QUANTUM))).all()
    assert np.array_equal(quantise(rounded), rounded)


def test_rounding_keeps_nan_so_that_it_is_found_later():
    assert np.isnan(quantise(np.array([np.nan], np.float32))).all()
