"""Connected components of a graph that no one process can hold: stars, by turns large and small.

Kiveris, Lattanzi, Mirrokni, Rastogi, Vassilvitskii, Connected Components in MapReduce and Beyond
(SoCC 2014). A round works on one part of the nodes at a time:

- large-star: every node links its larger neighbours to the smallest node it knows, itself included;
- small-star: every node links its smaller neighbours, and itself, to the smallest of these.

Neither joins nor breaks a component. By turns they shorten all paths until each component is a star
round its smallest node. A path of N nodes takes up to 2 log2 N rounds, other shapes fewer.

Between rounds lie files of half-edges, uint64 [H, 2]: a node, its home, and a neighbour. Homes are
in the order of their hashes, of which a part is a range: so the smallest nodes, where edges gather,
are in all parts alike. With `read(part)` = gather_part([cut_part(file, part, P) for file in files])
the whole computation is

    files = [deal(edges), …]                       # any cut of the edges
    for number in count():
        if not sum(count_unfinished(read(part)) for part in range(P)):
            break
        files = [contract(read(part), number) for part in range(P)]
    labels = [list_labels(read(part)) for part in range(P)]      # of whole components

It takes the memory of one part's half-edges. What cannot be cut is one node's neighbourhood: the
root of a component of N nodes has N neighbours in the end, which take PEAK_BYTES each.
"""

from collections.abc import Sequence

import numpy as np

from pipelines.dedupe.unions import Labels
from pipelines.words.compiled import njit
from pipelines.words.hashing import scatter
from weighting.arrays import Int64s, Uint64s

PEAK_BYTES = 180  # that a half-edge takes: 85 in a round, the rest when survivors are chosen


def deal(edges_Ex2: Uint64s) -> Uint64s:
    """Return each edge from both of its ends, sorted by hash of home, then neighbour; each once."""
    return _sort(np.concatenate([edges_Ex2, edges_Ex2[:, ::-1]]))


def cut_part(halves_Hx2: Uint64s, part: int, parts: int) -> Uint64s:
    """Return the half-edges whose homes' hashes are in one of equal ranges; a view."""
    first, last = ((1 << 64) * at // parts for at in (part, part + 1))
    start = find_place(halves_Hx2, np.uint64(first))
    end = find_place(halves_Hx2, np.uint64(last)) if part + 1 < parts else len(halves_Hx2)
    return halves_Hx2[start:end]


def gather_part(slices: Sequence[Uint64s]) -> Uint64s:
    """Return the half-edges of one part from all files, sorted, each once."""
    return _sort(np.concatenate([np.empty((0, 2), np.uint64), *slices]))


def count_unfinished(halves_Hx2: Uint64s) -> int:
    """Return how many homes are neither the smallest of all their neighbours nor have only one.

    If no part has any, every component is a star round its smallest node.
    """
    starts, sizes = _find_homes(halves_Hx2)
    homes, least = halves_Hx2[starts].T
    return int(((least < homes) & (sizes > 1)).sum())


def contract(halves_Hx2: Uint64s, number: int) -> Uint64s:
    """Return what round `number`, from 0, makes of a part: half-edges of all parts, for a file."""
    return deal(small_star(halves_Hx2) if number % 2 else large_star(halves_Hx2))


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
    """Return the components whose smallest nodes are homes of this part; all must be stars."""
    inner = halves_Hx2[halves_Hx2[:, 1] > halves_Hx2[:, 0]]
    starts, _ = _find_homes(inner)
    nodes_M = np.concatenate([inner[starts, 0], inner[:, 1]])
    roots_M = np.concatenate([inner[starts, 0], inner[:, 0]])
    order_M = np.argsort(nodes_M)
    return Labels(nodes_M[order_M], roots_M[order_M])


def _sort(halves_Hx2: Uint64s) -> Uint64s:
    homes, others = halves_Hx2.T
    sorted_Hx2 = halves_Hx2[np.lexsort((others, scatter_all(homes)))]
    fresh = np.ones(len(sorted_Hx2), bool)
    fresh[1:] = (sorted_Hx2[1:] != sorted_Hx2[:-1]).any(axis=1)
    return sorted_Hx2[fresh]


def _find_homes(halves_Hx2: Uint64s) -> tuple[Int64s, Int64s]:
    """Return where each home's half-edges start, and how many they are."""
    begins = np.ones(len(halves_Hx2), bool)
    begins[1:] = halves_Hx2[1:, 0] != halves_Hx2[:-1, 0]
    starts = np.flatnonzero(begins)
    return starts, np.diff(starts, append=len(begins))


def _spread_least(halves_Hx2: Uint64s) -> Uint64s:
    """Return the smallest neighbour of each half-edge's home."""
    starts, sizes = _find_homes(halves_Hx2)
    return np.repeat(halves_Hx2[starts, 1], sizes)


@njit
def scatter_all(values_N: Uint64s) -> Uint64s:
    """Return each number scattered over all its bits."""
    scattered_N = np.empty(len(values_N), np.uint64)
    for at in range(len(values_N)):
        scattered_N[at] = scatter(values_N[at])
    return scattered_N


@njit
def find_place(halves_Hx2: Uint64s, least: np.uint64) -> int:
    """Return the first half-edge whose home's hash is at least `least`."""
    low, high = 0, len(halves_Hx2)
    while low < high:
        middle = (low + high) // 2
        if scatter(halves_Hx2[middle, 0]) < least:
            low = middle + 1
        else:
            high = middle
    return low
