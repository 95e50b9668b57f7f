"""Connected components of a graph that no one process can hold: stars, by turns large and small.

Kiveris, Lattanzi, Mirrokni, Rastogi, Vassilvitskii, Connected Components in MapReduce and Beyond
(SoCC 2014). A round works on one range of the nodes at a time:

- large-star: every node links its larger neighbours to the smallest node it knows, itself included;
- small-star: every node links its smaller neighbours, and itself, to the smallest of these.

Neither joins nor breaks a component. By turns they shorten all paths until each component is a star
round its smallest node. A path of N nodes takes up to 2 log2 N rounds, other shapes fewer.

What becomes of the edges of node 5, which knows 2, 3, 7 and 9:

    large-star    7-2  9-2      small-star    3-2  5-2

Between rounds lie files of half-edges, uint64 [H, 2]: a node, its home, and a neighbour. Homes are
in the order of their hashes, and ranges are ranges of these hashes: so the smallest nodes, where
edges gather, are spread over all ranges alike. With `read(r)` = merge_range([cut_range(file, r, R)
for file in files]) the whole computation is

    files = [list_half_edges(edges), …]            # any cut of the edges
    for number in count():
        if not sum(count_unfinished(read(r)) for r in range(R)):
            break
        files = [contract(read(r), number) for r in range(R)]
    labels = [list_labels(read(r)) for r in range(R)]            # of whole components

It takes the memory of one range's half-edges. What cannot be cut is one node's neighbourhood: the
root of a component of N nodes has N neighbours in the end, which take PEAK_BYTES each.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np

from pipelines.dedupe.unions import Labels
from pipelines.words.hashing import scatter
from weighting.array_tools import bound_keys, find_runs, mark_changes
from weighting.arrays import Uint64s
from weighting.hashing import mix_bits

PEAK_BYTES = 180  # that a half-edge takes: 85 in a round, the rest when survivors are chosen


def list_half_edges(edges_Ex2: Uint64s) -> Uint64s:
    """Return each edge from both of its ends, sorted by hash of home, then neighbour; each once."""
    return _sort(np.concatenate([edges_Ex2, edges_Ex2[:, ::-1]]))


def cut_range(halves_Hx2: Uint64s, number: int, ranges: int) -> Uint64s:
    """Return the half-edges whose homes' hashes are in one of equal ranges; a view."""
    first, last = bound_keys(number, ranges)
    # The hashes are not stored: some thirty are computed where the search looks.
    start = bisect_left(halves_Hx2, first, key=_hash_home)
    return halves_Hx2[start : bisect_right(halves_Hx2, last, lo=start, key=_hash_home)]


def merge_range(slices: Sequence[Uint64s]) -> Uint64s:
    """Return the half-edges of one range from all files, sorted, each once."""
    return _sort(np.concatenate([np.empty((0, 2), np.uint64), *slices]))


def count_unfinished(halves_Hx2: Uint64s) -> int:
    """Return how many homes are neither the smallest of all their neighbours nor have only one.

    If no range has any, every component is a star round its smallest node.
    """
    starts, sizes = find_runs(halves_Hx2[:, 0])
    homes, least = halves_Hx2[starts].T
    return int(((least < homes) & (sizes > 1)).sum())


def contract(halves_Hx2: Uint64s, number: int) -> Uint64s:
    """Return what round `number`, from 0, makes of a range: half-edges of any range, in a file."""
    return list_half_edges(small_star(halves_Hx2) if number % 2 else large_star(halves_Hx2))


def large_star(halves_Hx2: Uint64s) -> Uint64s:
    """Return the edges from each home's larger neighbours to the smallest node it knows."""
    homes, others = halves_Hx2.T
    larger = others > homes
    least = np.minimum(homes, _spread_least(halves_Hx2))
    return np.stack([least[larger], others[larger]], axis=1)


def small_star(halves_Hx2: Uint64s) -> Uint64s:
    """Return the edges from each home and its smaller neighbours to the smallest of these."""
    homes, others = halves_Hx2.T
    least = _spread_least(halves_Hx2)
    smaller = others < homes
    # The smallest neighbour's own row carries the edge of the home.
    ends = np.where(others == least, homes, others)
    return np.stack([least[smaller], ends[smaller]], axis=1)


def list_labels(halves_Hx2: Uint64s) -> Labels:
    """Return the components whose smallest nodes are homes of this range; all must be stars."""
    inner = halves_Hx2[halves_Hx2[:, 1] > halves_Hx2[:, 0]]
    starts, _ = find_runs(inner[:, 0])
    nodes_M = np.concatenate([inner[starts, 0], inner[:, 1]])
    roots_M = np.concatenate([inner[starts, 0], inner[:, 0]])
    order_M = np.argsort(nodes_M)
    return Labels(nodes_M[order_M], roots_M[order_M])


def _sort(halves_Hx2: Uint64s) -> Uint64s:
    homes, others = halves_Hx2.T
    sorted_Hx2 = halves_Hx2[np.lexsort((others, mix_bits(homes)))]
    return sorted_Hx2[mark_changes(*sorted_Hx2.T)]


def _hash_home(half_edge: Uint64s) -> int:
    return int(scatter(half_edge[0]))


def _spread_least(halves_Hx2: Uint64s) -> Uint64s:
    """Return the smallest neighbour of each half-edge's home."""
    starts, sizes = find_runs(halves_Hx2[:, 0])
    return np.repeat(halves_Hx2[starts, 1], sizes)
