"""Contracts of the statistics: the columns that follow from the signals."""

import pyarrow as pa

from weighting.contracts import statistics
from weighting.contracts.statistics import TYPE_STATS, type_stats_schema
from weighting.signals.registry import SIGNALS, list_given, list_of_types
from weighting.signals.signal import Source


def test_types_have_their_own_signals_and_the_means_of_the_stored_ones():
    stored = list_given(list(Source))
    schema = type_stats_schema(stored)
    means = [f"mean_{name}" for name in stored]
    assert schema.names == [*TYPE_STATS.names, *list_of_types(), *means]
    assert all(schema.field(name).type == pa.float64() for name in schema.names[-len(means) :])
    assert all(schema.field(name).nullable for name in means)
    assert not any(schema.field(name).nullable for name in list_of_types())


def test_signals_that_follow_from_others_have_no_column():
    follow = [name for name, signal in SIGNALS.items() if signal.derived]
    assert follow
    names = type_stats_schema(list_given(list(Source))).names
    assert not {*follow, *(f"mean_{name}" for name in follow)} & set(names)


def test_no_table_names_a_column_twice():
    tables = [value for value in vars(statistics).values() if isinstance(value, pa.Schema)]
    assert len(tables) > 8
    for schema in tables:
        assert len(set(schema.names)) == len(schema.names)
