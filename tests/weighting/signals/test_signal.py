"""Records of signals: what cannot be computed is refused where it is declared."""

import numpy as np
import pytest

from weighting.errors import AssayError
from weighting.signals.registry import SIGNALS
from weighting.signals.signal import Derived, Kind, Signal, Source


def of_types(types):
    return np.zeros(len(types.counts_V))


def of_tokens(ids_N, offsets_D1, types):
    return np.zeros(len(ids_N))


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        (Kind.TYPE, {"of_types": of_types, "of_tokens": of_tokens}, "give one of the three"),
        (Kind.TYPE, {}, "a signal of kind type is computed by of_types"),
        (Kind.MODEL, {"of_types": of_types}, "a signal of kind type is computed by of_types"),
        (Kind.TOKEN, {}, "a signal of kind token is computed by of_tokens"),
        (Kind.COUNT, {"of_tokens": of_tokens}, "a signal of kind token is computed by of_tokens"),
    ],
)
def test_what_cannot_be_computed_is_refused(kind, given, message):
    with pytest.raises(AssayError, match=message):
        Signal(kind, "in words", **given)


def test_what_is_neither_looked_up_nor_derived_is_stored():
    assert Signal(Kind.TOKEN, "x", of_tokens=of_tokens).stored
    assert Signal(Kind.MODEL, "x").stored
    assert not Signal(Kind.TYPE, "x", of_types=of_types).stored
    derived = Derived(("nll",), lambda nll_N: nll_N, "nll")
    assert not Signal(Kind.MODEL, "x", derived=derived).stored


def test_every_signal_says_what_it_is_and_what_gives_it():
    for signal in SIGNALS.values():
        assert signal.meaning
        always = signal.given_by in (Source.COUNTS, Source.TOKENS)
        assert always == (signal.kind is not Kind.MODEL)
        assert not signal.derived or set(signal.derived.of) <= set(SIGNALS)
