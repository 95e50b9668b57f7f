"""Signals of tokens by name: stored, looked up by type, computed of ids, or derived."""

import numpy as np
import pytest

from weighting.errors import AssayError
from weighting.signals import registry
from weighting.signals.quantum import QUANTUM
from weighting.signals.registry import (
    SIGNALS,
    Signals,
    list_given,
    list_known,
    list_of_types,
    list_origins,
    list_stored,
    measure_tokens,
    tabulate_types,
)
from weighting.signals.signal import Derived, Kind, Signal, Source
from weighting.signals.token_types import Types

TYPES = Types(np.array([7, 0, 2]), np.array([3, 0, 2]), 3)
IDS = np.array([2, 0, 0], np.uint32)
GAIN = np.array([0.5, -1.0, 0.0], np.float32)


def test_signals_of_types_are_looked_up_and_the_others_read():
    signals = Signals(TYPES, IDS, {"ngram_gain": GAIN})
    for name in ("surprisal", "idf", "residual_idf"):
        assert signals[name].tolist() == tabulate_types(TYPES)[name][[2, 0, 0]].tolist()
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
    assert derived == {"surprisal", "idf", "residual_idf", "ngram_surprisal", "insight"}
    of_models = {name for name in derived if SIGNALS[name].kind is Kind.MODEL}
    assert of_models == {"insight"}


def test_insight_is_high_where_excess_and_doubt_both_are():
    stored = {
        "excess": np.array([8.0, 8.0, 0.5, -3.0], np.float32),
        "entropy": np.array([2.0, 0.0, 2.0, 9.0], np.float32),
    }
    assert Signals(TYPES, IDS[:4], stored)["insight"].tolist() == [4.0, 0.0, 1.0, 0.0]


def test_what_a_source_gives_is_stored():
    assert list_given([Source.COUNTS]) == ["ngram_gain"]
    assert list_given([Source.REFERENCE, Source.SECOND]) == ["nll", "entropy", "disagreement"]
    assert list_given(list(Source)) == [name for name, one in SIGNALS.items() if one.stored]


def test_what_signals_follow_from_is_read():
    assert list_origins("ngram_surprisal") == ["surprisal", "ngram_gain"]
    assert list_origins("nll") == ["nll"]
    assert list_stored({"ngram_surprisal", "idf", "nll"}) == ["ngram_gain", "nll"]
    assert list_stored(set(list_of_types())) == []


def test_types_are_tabulated_once_and_rounded():
    tables = tabulate_types(TYPES)
    assert tabulate_types(TYPES) is tables
    assert list(tables) == list_of_types()
    for name, table in tables.items():
        of_types = SIGNALS[name].of_types
        assert of_types is not None
        exact = of_types(TYPES)
        assert table.dtype == np.float32
        assert np.abs(table - exact).max() <= QUANTUM / 2


@pytest.fixture
def add(monkeypatch):
    """Add a signal to those that there are."""

    def add(name, signal):
        monkeypatch.setattr(registry, "SIGNALS", {**SIGNALS, name: signal})
        tabulate_types.cache_clear()

    yield add
    tabulate_types.cache_clear()


def test_a_signal_of_tokens_is_computed_of_ids_and_rounded(add):
    def measure_place(ids_N, offsets_D1, types):
        places = np.arange(len(ids_N)) - np.repeat(offsets_D1[:-1], np.diff(offsets_D1))
        return places / 3

    add("place", Signal(Kind.TOKEN, "place", Source.TOKENS, of_tokens=measure_place))
    found = measure_tokens(IDS, np.array([0, 1, 3]), TYPES)
    assert {name: values.tolist() for name, values in found.items()} == {
        "place": [0, 0, round(1 / 3 / QUANTUM) * QUANTUM]
    }
    assert list_known(["place"])[-1] == "place"
    assert list_stored({"place"}) == ["place"]


def test_a_signal_may_follow_from_one_that_follows(add):
    twice = Derived(("ngram_surprisal",), lambda values: 2 * values, "2 * ngram_surprisal")
    add("twice", Signal(Kind.COUNT, "twice the surprisal", derived=twice))
    signals = Signals(TYPES, IDS, {"ngram_gain": GAIN})
    assert signals["twice"].tolist() == (2 * signals["ngram_surprisal"]).tolist()
    assert list_origins("twice") == ["surprisal", "ngram_gain"]
    assert "twice" not in Signals(TYPES, IDS, {})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0], r"signal odd has shape \(1,\), must be \(3,\)"),
        ([0.0, np.nan, 0.0], "signal odd is nan at 1 of 3 "),
        ([0.0, 0.0, -np.inf], "signal odd is -inf at 2 of 3 "),
    ],
)
def test_a_signal_without_a_number_for_each_is_refused(add, values, message):
    add("odd", Signal(Kind.TOKEN, "x", of_tokens=lambda *_: np.array(values)))
    with pytest.raises(AssayError, match=message):
        measure_tokens(IDS, np.array([0, 3]), TYPES)
    add("odd", Signal(Kind.TYPE, "x", of_types=lambda _: np.array(values)))
    with pytest.raises(AssayError, match=message):
        tabulate_types(TYPES)
