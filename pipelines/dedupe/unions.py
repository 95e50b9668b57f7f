"""Connected components in one process, by union-find."""

from typing import NamedTuple

import numpy as np

from pipelines.words.compiled import njit
from weighting.arrays import Int64s, Uint64s

# What `find_components` takes for an edge at its peak, and then `survivors` for its two nodes.
BYTES_PER_EDGE = 340


class Labels(NamedTuple):
    """The components of a graph: M nodes, sorted, and the smallest node of each one's component."""

    nodes_M: Uint64s
    roots_M: Uint64s


def find_components(edges_Ex2: Uint64s) -> Labels:
    """Return the components of all nodes that have an edge."""
    nodes_M, places = np.unique(edges_Ex2, return_inverse=True)
    parents_M = np.arange(len(nodes_M))
    unite(parents_M, places.reshape(-1, 2))
    return Labels(nodes_M, nodes_M[parents_M])


def span(edges_Ex2: Uint64s) -> Uint64s:
    """Return the fewest edges with the same components: each node with its smallest one, sorted."""
    nodes_M, roots_M = find_components(edges_Ex2)
    inner = nodes_M != roots_M
    order = np.lexsort((nodes_M[inner], roots_M[inner]))
    return np.stack([roots_M[inner], nodes_M[inner]], axis=1)[order]


@njit
def unite(parents_M: Int64s, pairs_Ex2: Int64s) -> None:
    """Join the trees of each pair; then let every node point to the smallest of its component."""
    for edge in range(len(pairs_Ex2)):
        join(parents_M, pairs_Ex2[edge, 0], pairs_Ex2[edge, 1])
    # A parent is smaller than its children, so its own parent is the root by the time they come.
    for node in range(len(parents_M)):
        parents_M[node] = parents_M[parents_M[node]]


@njit
def join(parents_M: Int64s, one: int, other: int) -> None:
    """Join the trees of two nodes under the smaller root."""
    one, other = find(parents_M, one), find(parents_M, other)
    # By number, not by size: the smallest node is the root, and names the component the same way
    # whatever the order of the edges. Halving the paths keeps the trees flat.
    if one < other:
        parents_M[other] = one
    else:
        parents_M[one] = other


@njit
def find(parents_M: Int64s, node: int) -> int:
    """Return the root of a node; halve the path to it."""
    while parents_M[node] != node:
        parents_M[node] = parents_M[parents_M[node]]
        node = parents_M[node]
    return node
