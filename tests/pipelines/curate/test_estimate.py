"""What dedupe is expected to take: bounds that grow with the text and name the ways to go."""

from dataclasses import replace

import pytest

from pipelines.curate.estimate import NOTHING, estimate
from pipelines.readers.records import Slice
from pipelines.settings import CurateSettings, DedupeSettings, PassageSettings
from pipelines.work.units import Unit

SETTINGS = CurateSettings()
MB = 10**6


def make_units(megabytes, units=4):
    size = int(megabytes * MB / units)
    return [Unit(uid, (Slice("p", "n", "jsonl", 0, -1, size),)) for uid in range(units)]


def dedupe(**fields):
    return replace(SETTINGS, dedupe=DedupeSettings(**fields))


def test_more_text_takes_no_less_of_anything():
    sizes = [estimate(make_units(megabytes), SETTINGS) for megabytes in (0.1, 10, 1000, 100_000)]
    for name in ("documents", "ranges", "key_bytes", "piece_ranges", "piece_bytes"):
        values = [getattr(one, name) for one in sizes]
        assert values == sorted(values)
        assert values[0] < values[-1]


def test_how_units_are_cut_changes_nothing():
    one = estimate(make_units(100, units=1), SETTINGS)
    assert estimate(make_units(100, units=50), SETTINGS) == one


def test_half_the_memory_takes_about_twice_the_ranges():
    units = make_units(50_000)
    one, half = (estimate(units, dedupe(memory=memory)) for memory in (256 * MB, 128 * MB))
    assert half.ranges == pytest.approx(2 * one.ranges, rel=0.1)
    assert half.piece_ranges == pytest.approx(2 * one.piece_ranges, rel=0.1)
    assert half.links == one.links // 2


def test_what_is_not_looked_for_takes_nothing():
    units = make_units(1000)
    assert estimate(units, CurateSettings(dedupe=None)) == NOTHING
    assert list(estimate(units, CurateSettings(dedupe=None)).describe()) == []
    without = estimate(units, dedupe(passages=None))
    assert (without.piece_ranges > 0, without.ranges > 0) == (False, True)
    alone = estimate(units, dedupe(exact=False, near=None))
    assert (alone.piece_ranges > 0, alone.ranges) == (True, 0)
    exact, near = estimate(units, dedupe(near=None)), estimate(units, SETTINGS)
    assert near.key_bytes == 15 * exact.key_bytes  # of 14 bands and the content


def test_to_delete_passages_takes_twice_the_files():
    units = make_units(1000)
    marked, deleted = (
        estimate(units, dedupe(passages=PassageSettings(delete=delete))) for delete in (False, True)
    )
    assert deleted.piece_bytes == 2 * marked.piece_bytes


def test_links_have_to_be_counted_only_where_they_may_be_too_many():
    small, large = (estimate(make_units(megabytes), SETTINGS) for megabytes in (10, 10**6))
    assert not small.clusters_later
    assert large.clusters_later
    assert large.documents > large.links
    assert not estimate(make_units(10**6), dedupe(exact=False, near=None)).clusters_later


def test_the_words_tell_the_numbers():
    small = list(estimate(make_units(1), SETTINGS).describe())
    assert small[0].startswith("copies: at most ")
    assert small[0].endswith("1 range of at most 256 MB at a time; clusters in one process")
    assert small[1].startswith("passages: about ")
    large = list(estimate(make_units(10**6), SETTINGS).describe())
    assert ", else by star contraction" in large[0]
    assert " ranges of at most 256 MB at a time" in large[1]
    settings = CurateSettings(dedupe=DedupeSettings(passages=None))
    assert len(list(estimate(make_units(1), settings).describe())) == 1
