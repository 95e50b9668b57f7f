"""The survivor rule: which document of a cluster stays, and what becomes of the others.

A published document goes before new ones, or an earlier run would have to be taken back. Among the
rest the best is the one of highest quality, then the longest, then that of the smallest content
hash, then that of the smallest id: an order of documents that knows nothing of units and workers.

A cluster is named by the content hash of its survivor. A component whose best document is published
belongs to that document's cluster, and the survivor is that cluster's, which may be yet another
document.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from pipelines.dedupe.fingerprints import Fingerprints
from pipelines.dedupe.gather import (
    CHUNK_BYTES,
    UNIT_BITS,
    cut_chunks,
    find_published,
    gather,
    gather_shingles,
)
from pipelines.dedupe.shingles import jaccard
from pipelines.dedupe.unions import Labels
from pipelines.words.compiled import njit
from weighting.arrays import Bools, Float32s, Int64s, Structs, Uint32s, Uint64s
from weighting.errors import BrokenInvariant

# A document of a cluster of two or more. `similarity` is the Jaccard similarity of its shingles to
# those of the best document of its component; 1 for equal content. `survives` is not always the
# same as an id equal to the survivor's: a record curated again has the id of its published self.
MEMBERS = np.dtype(
    [
        ("unit", np.uint32),
        ("doc", np.uint32),
        ("row", np.uint32),
        ("cluster_high", np.uint64),
        ("cluster_low", np.uint64),
        ("survivor_high", np.uint64),
        ("survivor_low", np.uint64),
        ("similarity", np.float32),
        ("survives", np.bool_),
    ]
)


class Settled(NamedTuple):
    """What a component's documents are told: the names of their cluster and of its survivor."""

    clusters_Cx2: Uint64s
    survivors_Cx2: Uint64s


def resolve(labels: Labels, units: Mapping[int, Fingerprints]) -> Structs:
    """Return the members, sorted by node, of whole components: the new documents among them.

    Raises:
        BrokenInvariant: a component would not keep exactly one document.
    """
    nodes_M, roots_M = labels
    if not len(nodes_M):
        return np.empty(0, MEMBERS)
    published_M = find_published(units, nodes_M)
    best_C, components_M = _find_best(units, nodes_M, roots_M, published_M)
    settled = _settle(units, nodes_M[best_C], published_M[best_C])
    _check(components_M, best_C, published_M)
    members = np.zeros(len(nodes_M), MEMBERS)
    members["unit"], members["doc"] = nodes_M >> UNIT_BITS, nodes_M & np.uint64(2**32 - 1)
    (members["row"],) = gather(units, nodes_M, ["rows_D"])
    for number, half in enumerate(("high", "low")):
        members[f"cluster_{half}"] = settled.clusters_Cx2[components_M, number]
        members[f"survivor_{half}"] = settled.survivors_Cx2[components_M, number]
    members["similarity"] = _compare(units, nodes_M, best_C[components_M])
    members["survives"][best_C] = True
    return members[~published_M]


def list_copies(members: Structs) -> Uint32s:
    """Return the rows of the members that do not stay."""
    return np.asarray(members["row"][~members["survives"]])


def to_hex(high: Uint64s, low: Uint64s) -> list[str]:
    """Return the 32 hexadecimal digits of 128-bit numbers given as halves."""
    return [f"{a:016x}{b:016x}" for a, b in zip(high.tolist(), low.tolist(), strict=True)]


def _find_best(
    units: Mapping[int, Fingerprints], nodes_M: Uint64s, roots_M: Uint64s, published_M: Bools
) -> tuple[Int64s, Int64s]:
    """Return the place of each component's best document, and the component of each document."""
    names = ("quality_D", "lengths_D", "contents_Dx2", "ids_Dx2")
    quality_M, lengths_M, contents_Mx2, ids_Mx2 = gather(units, nodes_M, names)
    worst_last = -np.nan_to_num(quality_M, nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    names_first = (*ids_Mx2.T[::-1], *contents_Mx2.T[::-1])
    order_M = np.lexsort((nodes_M, *names_first, -lengths_M, worst_last, ~published_M, roots_M))
    begins = np.append(True, np.diff(roots_M[order_M]) > 0)
    components_M = np.empty_like(order_M)
    components_M[order_M] = np.cumsum(begins) - 1
    return order_M[begins], components_M


def _settle(units: Mapping[int, Fingerprints], best_C: Uint64s, published_C: Bools) -> Settled:
    """Return what the components of best documents are told."""
    order_C = np.argsort(best_C)
    settled = Settled(*(np.empty((len(best_C), 2), np.uint64) for _ in range(2)))
    for some, names in (
        (order_C[~published_C[order_C]], ("contents_Dx2", "ids_Dx2")),
        (order_C[published_C[order_C]], ("clusters_Dx2", "survivors_Dx2")),
    ):
        if len(some):
            settled.clusters_Cx2[some], settled.survivors_Cx2[some] = gather(
                units, best_C[some], names
            )
    return settled


def _check(components_M: Int64s, best_C: Int64s, published_M: Bools) -> None:
    """Check that each component keeps one document: a published one exactly where it has any."""
    kept_C = np.bincount(components_M[best_C], minlength=len(best_C))
    wanted_C = np.bincount(components_M, published_M, minlength=len(best_C)) > 0
    wrong = (kept_C != 1) | (published_M[best_C] != wanted_C)
    if wrong.any():
        raise BrokenInvariant(f"{wrong.sum():,} clusters do not keep exactly one document")


def _compare(units: Mapping[int, Fingerprints], nodes_M: Uint64s, best_M: Int64s) -> Float32s:
    """Return the similarity of each document to the best of its component."""
    similarity_M = np.ones(len(nodes_M), np.float32)
    contents_Mx2, sizes_M = gather(units, nodes_M, ["contents_Dx2", "sizes_D"])
    other = np.flatnonzero((contents_Mx2 != contents_Mx2[best_M]).any(axis=1))
    other = other[np.argsort(best_M[other], kind="stable")]
    costs = sizes_M[other] + sizes_M[best_M[other]]
    for start, end in cut_chunks(costs, CHUNK_BYTES):
        some = other[start:end]
        nodes_Px2 = nodes_M[np.stack([some, best_M[some]], axis=1)]
        nodes_C, places = np.unique(nodes_Px2, return_inverse=True)
        similarity_M[some] = compare_pairs(*gather_shingles(units, nodes_C), places.reshape(-1, 2))
    return similarity_M


@njit
def compare_pairs(shingles_S: Uint32s, offsets_C1: Int64s, pairs_Px2: Int64s) -> Float32s:
    """Return the Jaccard similarity of pairs of documents."""
    similarity_P = np.empty(len(pairs_Px2), np.float32)
    for pair in range(len(pairs_Px2)):
        one, other = pairs_Px2[pair]
        similarity_P[pair] = jaccard(
            shingles_S[offsets_C1[one] : offsets_C1[one + 1]],
            shingles_S[offsets_C1[other] : offsets_C1[other + 1]],
        )
    return similarity_P
