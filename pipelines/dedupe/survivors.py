"""The survivor rule: which document of a cluster stays, and what becomes of the others.

A published document goes before new ones, or an earlier run would have to be taken back. Among the
rest the best is the one of highest quality, then the longest, then that of the smallest content
hash, then that of the smallest id: an order of documents that knows nothing of units and workers.

What goes is all of a component but its best document, however little a member has in common with
that one; or, where a least similarity to the survivor is asked for, only the members that reach it.
Those that are left are a component again, whose best document stays, and so on in rounds:

    chain      A  B  C  D  E        from the best; neighbours alone are similar
    round 1    A  b                 A stays, B goes
    round 2          C  d           C stays, D goes
    round 3                E        is like none that stays, and has no copies

So what goes has a survivor that it is similar to, and no two that stay are similar. A published
copy is not kept by the run that published it, so it counts for its equals alone: these are as
similar to its survivor as it is.

A cluster is named by the content hash of its survivor. Documents whose best one is published belong
to that one's cluster, and the survivor is that cluster's, which may be yet another document.
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
# those of the best document of its round; 1 for equal content. `survives` is not always the
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


class Ranked(NamedTuple):
    """M documents of components: component by component, from the best."""

    nodes_M: Uint64s
    roots_M: Uint64s
    published_M: Bools
    copies_M: Bools  # published, and not kept by the run that published them
    contents_Mx2: Uint64s
    sizes_M: Int64s  # bytes to read for a comparison

    def take(self, places: Int64s | Bools) -> "Ranked":
        """Return those at some places, or those marked."""
        return Ranked(
            self.nodes_M[places],
            self.roots_M[places],
            self.published_M[places],
            self.copies_M[places],
            self.contents_Mx2[places],
            self.sizes_M[places],
        )


class Names(NamedTuple):
    """The names of C components' clusters (content hash) and survivors (id), 128 bits each."""

    clusters_Cx2: Uint64s
    survivors_Cx2: Uint64s


def resolve(labels: Labels, units: Mapping[int, Fingerprints], least: float = 0.0) -> Structs:
    """Return the members, sorted by node, of whole components: the new documents among them.

    `least` is the similarity to its survivor from which a document goes; with 0 all go but one.

    Raises:
        BrokenInvariant: a component would not keep exactly one document.
    """
    rounds = [np.empty(0, MEMBERS)]
    left = _rank(labels, units, apart=least > 0)
    while len(left.nodes_M):
        best_C, components_M = _find_best(left.roots_M)
        _check_kept(components_M, best_C, left.published_M)
        best_M = best_C[components_M]
        similarity_M = _compare_to_best(units, left, best_M, least)
        bounds_M = np.where(left.copies_M[best_M], np.float32(1), np.float32(least))
        goes_M = similarity_M >= bounds_M  # the best one too, which is equal to itself
        rounds.append(_list_members(units, left, best_C, components_M, similarity_M, goes_M))
        new_C = np.bincount(components_M, ~goes_M & ~left.published_M) > 0
        left = left.take(~goes_M & new_C[components_M])
    members = np.concatenate(rounds)
    return members[np.lexsort((members["doc"], members["unit"]))]


def list_copies(members: Structs) -> Uint32s:
    """Return the rows of the members that do not stay."""
    return np.asarray(members["row"][~members["survives"]])


def to_hex(high: Uint64s, low: Uint64s) -> list[str]:
    """Return the 32 hexadecimal digits of 128-bit numbers given as halves."""
    return [f"{a:016x}{b:016x}" for a, b in zip(high.tolist(), low.tolist(), strict=True)]


def _rank(labels: Labels, units: Mapping[int, Fingerprints], *, apart: bool) -> Ranked:
    """Return the documents of all components by rank; `apart`: published copies come last."""
    nodes_M, roots_M = labels
    if not len(nodes_M):
        nothing = np.empty(0, bool)
        contents_Mx2, sizes_M = np.empty((0, 2), np.uint64), np.empty(0, np.int64)
        return Ranked(nodes_M, roots_M, nothing, nothing, contents_Mx2, sizes_M)
    names = ("quality_D", "lengths_D", "contents_Dx2", "ids_Dx2", "sizes_D")
    quality_M, lengths_M, contents_Mx2, ids_Mx2, sizes_M = read_columns(units, nodes_M, names)
    published_M = find_published(units, nodes_M)
    copies_M = np.zeros(len(nodes_M), bool)
    if apart and published_M.any():
        (survivors_Px2,) = read_columns(units, nodes_M[published_M], ["survivors_Dx2"])
        copies_M[published_M] = (survivors_Px2 != ids_Mx2[published_M]).any(axis=1)
    # lexsort sorts by its last key first: component, published, quality, length, content, id.
    worst_last = -np.nan_to_num(quality_M, nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    names_first = (*ids_Mx2.T[::-1], *contents_Mx2.T[::-1])
    keys = (nodes_M, *names_first, -lengths_M, worst_last, copies_M, ~published_M, roots_M)
    ranked = Ranked(nodes_M, roots_M, published_M, copies_M, contents_Mx2, sizes_M)
    return ranked.take(np.lexsort(keys))


def _find_best(roots_M: Uint64s) -> tuple[Int64s, Int64s]:
    """Return the place of each component's best document, and the component of each document."""
    begins_M = mark_changes(roots_M)
    return np.flatnonzero(begins_M), np.cumsum(begins_M) - 1


def _list_members(
    units: Mapping[int, Fingerprints],
    ranked: Ranked,
    best_C: Int64s,
    components_M: Int64s,
    similarity_M: Float32s,
    goes_M: Bools,
) -> Structs:
    """Return the members of a round: the new documents that go, and the best that they leave."""
    several_C = np.bincount(components_M, goes_M) > 1
    chosen = np.flatnonzero(goes_M & several_C[components_M] & ~ranked.published_M)
    members = np.zeros(len(chosen), MEMBERS)
    if not len(chosen):
        return members
    chosen = chosen[np.argsort(ranked.nodes_M[chosen])]  # columns are read by sorted nodes
    nodes, components = ranked.nodes_M[chosen], components_M[chosen]
    names = _name_clusters(units, ranked.nodes_M[best_C], ranked.published_M[best_C])
    members["unit"], members["doc"] = nodes >> UNIT_BITS, nodes & ROW_MASK
    (members["row"],) = read_columns(units, nodes, ["rows_D"])
    for number, half in enumerate(("high", "low")):
        members[f"cluster_{half}"] = names.clusters_Cx2[components, number]
        members[f"survivor_{half}"] = names.survivors_Cx2[components, number]
    members["similarity"] = similarity_M[chosen]
    members["survives"] = best_C[components] == chosen
    return members


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
    units: Mapping[int, Fingerprints], ranked: Ranked, best_M: Int64s, least: float
) -> Float32s:
    """Return the similarity of each document to the best of its component, 0 for one below `least`.

    Documents come by best one: chunks then read the shingles of few of these.
    """
    similarity_M = np.ones(len(best_M), np.float32)
    contents_Mx2, sizes_M = ranked.contents_Mx2, ranked.sizes_M
    other = np.flatnonzero((contents_Mx2 != contents_Mx2[best_M]).any(axis=1))
    for start, end in cut_chunks(sizes_M[other] + sizes_M[best_M[other]], CHUNK_BYTES):
        some = other[start:end]
        nodes_Px2 = ranked.nodes_M[np.stack([some, best_M[some]], axis=1)]
        nodes_C, places = np.unique(nodes_Px2, return_inverse=True)
        pairs_Px2 = places.reshape(-1, 2)
        similarity_M[some] = compare_pairs(*read_shingles(units, nodes_C), pairs_Px2, least)
    return similarity_M
