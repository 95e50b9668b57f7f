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
from pipelines.dedupe.nodes import (
    CHUNK_BYTES,
    ROW_MASK,
    UNIT_BITS,
    cut_chunks,
    find_published,
    read_columns,
    read_shingles,
)
from pipelines.dedupe.shingles import compare_pairs
from pipelines.dedupe.unions import Labels
from weighting.array_tools import mark_changes
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


class Names(NamedTuple):
    """The names of C components' clusters (content hash) and survivors (id), 128 bits each."""

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
    names = _name_clusters(units, nodes_M[best_C], published_M[best_C])
    _check_kept(components_M, best_C, published_M)
    members = np.zeros(len(nodes_M), MEMBERS)
    members["unit"], members["doc"] = nodes_M >> UNIT_BITS, nodes_M & ROW_MASK
    (members["row"],) = read_columns(units, nodes_M, ["rows_D"])
    for number, half in enumerate(("high", "low")):
        members[f"cluster_{half}"] = names.clusters_Cx2[components_M, number]
        members[f"survivor_{half}"] = names.survivors_Cx2[components_M, number]
    members["similarity"] = _compare_to_best(units, nodes_M, best_C[components_M])
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
    quality_M, lengths_M, contents_Mx2, ids_Mx2 = read_columns(units, nodes_M, names)
    # lexsort sorts by its last key first: component, published, quality, length, content, id.
    worst_last = -np.nan_to_num(quality_M, nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    names_first = (*ids_Mx2.T[::-1], *contents_Mx2.T[::-1])
    order_M = np.lexsort((nodes_M, *names_first, -lengths_M, worst_last, ~published_M, roots_M))
    begins = mark_changes(roots_M[order_M])
    components_M = np.empty_like(order_M)
    components_M[order_M] = np.cumsum(begins) - 1
    return order_M[begins], components_M


def _name_clusters(units: Mapping[int, Fingerprints], best_C: Uint64s, published_C: Bools) -> Names:
    """Return the names of cluster and survivor of the components of these best documents."""
    names = Names(*(np.empty((len(best_C), 2), np.uint64) for _ in range(2)))
    order_C = np.argsort(best_C)  # columns are read by sorted nodes
    # A new document names its cluster itself; a published one has the names that it was given.
    for some, columns in (
        (order_C[~published_C[order_C]], ("contents_Dx2", "ids_Dx2")),
        (order_C[published_C[order_C]], ("clusters_Dx2", "survivors_Dx2")),
    ):
        if len(some):
            clusters_Sx2, survivors_Sx2 = read_columns(units, best_C[some], columns)
            names.clusters_Cx2[some], names.survivors_Cx2[some] = clusters_Sx2, survivors_Sx2
    return names


def _check_kept(components_M: Int64s, best_C: Int64s, published_M: Bools) -> None:
    """Check that each component keeps one document: a published one exactly where it has any."""
    kept_C = np.bincount(components_M[best_C], minlength=len(best_C))
    wanted_C = np.bincount(components_M, published_M, minlength=len(best_C)) > 0
    wrong = (kept_C != 1) | (published_M[best_C] != wanted_C)
    if wrong.any():
        raise BrokenInvariant(f"{wrong.sum():,} clusters do not keep exactly one document")


def _compare_to_best(
    units: Mapping[int, Fingerprints], nodes_M: Uint64s, best_M: Int64s
) -> Float32s:
    """Return the similarity of each document to the best of its component."""
    similarity_M = np.ones(len(nodes_M), np.float32)
    contents_Mx2, sizes_M = read_columns(units, nodes_M, ["contents_Dx2", "sizes_D"])
    other = np.flatnonzero((contents_Mx2 != contents_Mx2[best_M]).any(axis=1))
    # By best document: chunks then read the shingles of few of these, and each but once or twice.
    other = other[np.argsort(best_M[other], kind="stable")]
    costs = sizes_M[other] + sizes_M[best_M[other]]
    for start, end in cut_chunks(costs, CHUNK_BYTES):
        some = other[start:end]
        nodes_Px2 = nodes_M[np.stack([some, best_M[some]], axis=1)]
        nodes_C, places = np.unique(nodes_Px2, return_inverse=True)
        similarity_M[some] = compare_pairs(*read_shingles(units, nodes_C), places.reshape(-1, 2))
    return similarity_M
