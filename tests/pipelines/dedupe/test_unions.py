"""Union-find agrees with the slow way to find components."""

import numpy as np
from hypothesis import given

from pipelines.dedupe.unions import find_components, span
from tests.pipelines.dedupe.graphs import find_roots, graphs


def to_array(pairs):
    return np.array(pairs, np.uint64).reshape(-1, 2)


@given(graphs())
def test_roots_are_the_smallest_nodes_of_components(pairs):
    labels = find_components(to_array(pairs))
    assert labels.nodes_M.tolist() == sorted(labels.nodes_M.tolist())
    found = dict(zip(labels.nodes_M.tolist(), labels.roots_M.tolist(), strict=True))
    assert found == find_roots(pairs)


@given(graphs())
def test_a_span_has_the_same_components_and_no_edge_to_spare(pairs):
    edges = span(to_array(pairs))
    roots = find_roots(pairs)
    assert find_roots(edges.tolist()) == roots
    assert len(edges) == len(roots) - len(set(roots.values()))


def test_the_highest_nodes_keep_all_their_bits():
    top = 2**64 - 1
    assert find_components(to_array([(top, top - 1)])).roots_M.tolist() == [top - 1, top - 1]


def test_no_edge_no_component():
    assert len(find_components(to_array([])).nodes_M) == 0
    assert span(to_array([])).shape == (0, 2)
