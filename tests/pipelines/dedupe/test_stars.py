"""Large and small stars by turns find what union-find finds, in any number of ranges."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.dedupe.stars import (
    contract,
    count_unfinished,
    cut_range,
    large_star,
    list_half_edges,
    list_labels,
    merge_range,
    small_star,
)
from pipelines.dedupe.unions import find_components
from tests.pipelines.dedupe.graphs import find_roots, graphs


def to_array(pairs):
    return np.array(pairs, np.uint64).reshape(-1, 2)


def run(pairs, parts, files=1):
    """Labels of all ranges, and how many rounds it took."""
    dealt = [list_half_edges(to_array(pairs)[number::files]) for number in range(files)]
    for number in range(100):
        read = [
            merge_range([cut_range(file, part, parts) for file in dealt]) for part in range(parts)
        ]
        if not sum(count_unfinished(part) for part in read):
            return [list_labels(part) for part in read], number
        dealt = [contract(part, number) for part in read]
    raise AssertionError("the stars do not finish")


@settings(max_examples=60)
@given(graphs(), st.integers(1, 5), st.integers(1, 3))
def test_stars_and_unions_agree(pairs, parts, files):
    labels, _ = run(pairs, parts, files)
    nodes = np.concatenate([part.nodes_M for part in labels])
    roots = np.concatenate([part.roots_M for part in labels])
    order = np.argsort(nodes)
    expected = find_components(to_array(pairs))
    assert nodes[order].tolist() == expected.nodes_M.tolist()
    assert roots[order].tolist() == expected.roots_M.tolist()


@given(graphs(), st.integers(2, 5))
def test_a_component_is_in_one_part_and_its_nodes_in_order(pairs, parts):
    labels, _ = run(pairs, parts)
    seen = [set(part.roots_M.tolist()) for part in labels]
    assert sum(map(len, seen)) == len(set().union(*seen))
    for part in labels:
        assert part.nodes_M.tolist() == sorted(part.nodes_M.tolist())


@given(graphs())
def test_neither_star_joins_or_breaks_a_component(pairs):
    halves = list_half_edges(to_array(pairs))
    for star in (large_star, small_star):
        assert find_roots(star(halves).tolist()) == find_roots(pairs)


@given(graphs(), st.integers(1, 7))
def test_ranges_hold_every_half_edge_once(pairs, parts):
    halves = list_half_edges(to_array(pairs))
    cut = [cut_range(halves, part, parts) for part in range(parts)]
    assert np.array_equal(np.concatenate(cut), halves)
    assert len(halves) == 2 * len({frozenset(pair) for pair in pairs})
    homes = [set(part[:, 0].tolist()) for part in cut]
    assert sum(map(len, homes)) == len(set().union(*homes))


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_long_path_takes_few_rounds(shuffle):
    path = np.arange(5000)
    if shuffle:
        np.random.default_rng(1).shuffle(path)
    labels, rounds = run(list(pairwise(path)), 3)
    assert sum(len(part.nodes_M) for part in labels) == 5000
    assert {root for part in labels for root in part.roots_M.tolist()} == {0}
    assert rounds <= 2 * np.log2(5000) + 1


def test_no_edge_is_settled():
    assert count_unfinished(list_half_edges(to_array([]))) == 0
    assert len(list_labels(list_half_edges(to_array([]))).nodes_M) == 0
