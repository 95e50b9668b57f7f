"""Near-duplicates against brute force: every pair of documents compared by its shingles.

python -m benchmarks.quality.truth CORPUS [DOCUMENTS=5000]    CORPUS as for `assay curate`

The truth is the exact Jaccard similarity of all pairs, from 64-bit hashes of the same shingles. Of
MinHash-LSH one knows how many of the similar pairs it is to find: the mean of its match probability
over their similarities. Pairs of one document are not independent, so what was found is also given
for many seeds. A larger corpus is sampled by hashes of names and places. Texts are as read.
"""

import heapq
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import xxhash
from rich.console import Console
from rich.table import Table

from pipelines.dedupe.fingerprints import Documents, Fingerprints, describe, write_fingerprints
from pipelines.dedupe.links import find_links
from pipelines.dedupe.minhash import Signatures, sign
from pipelines.dedupe.shingles import jaccard
from pipelines.dedupe.unions import find_components
from pipelines.readers.read import read_records
from pipelines.settings import NearSettings
from pipelines.text.word_hashes import WordHashes, hash_grams, list_words
from pipelines.words import Text
from pipelines.words.compiled import njit
from weighting.arrays import Bools, Float64s, Int32s, Int64s, Uint64s

NEAR = NearSettings()
SEEDS = 20
LEAST = 0.4  # similarity of the pairs that are listed
STEP = 0.05
BATCH = 400  # documents
BLOCK = 256  # documents compared with all others at once
UNIT = 500  # documents, where the clusters are found
PARTITIONS = 4


def match_probability(jaccard: float, near: NearSettings) -> float:
    """Return the chance that two texts of this similarity share a key: 1 - (1 - J^rows)^bands."""
    return float(1 - (1 - jaccard**near.rows) ** near.bands)


class Corpus(NamedTuple):
    """D documents, and the hashes of their words."""

    sources: list[str]
    contents: list[bytes]
    word_hashes: WordHashes


class Pairs(NamedTuple):
    """Pairs of documents [P, 2], the later one first, and how similar they are."""

    docs_Px2: Int64s
    similarity_P: Float64s


def read_sample(path: str, documents: int) -> Corpus:
    """Return the documents of a corpus that have the smallest hashes."""
    chosen = heapq.nsmallest(documents, list_texts(path), key=lambda found: found[0])
    contents = [xxhash.xxh3_128_digest(text.encode()) for _, _, text in chosen]
    hashes, offsets = [np.empty(0, np.uint64)], [np.zeros(1, np.int64)]
    for start in range(0, len(chosen), BATCH):
        texts = pa.array([text for _, _, text in chosen[start : start + BATCH]], pa.string())
        some = list_words(Text.view(texts))
        hashes.append(some.hashes_N)
        offsets.append(some.offsets_D1[1:] + offsets[-1][-1])
    nowhere = np.empty(0, np.int64)  # places of words: nothing here needs them
    word_hashes = WordHashes(np.concatenate(hashes), nowhere, nowhere, np.concatenate(offsets))
    return Corpus([source for _, source, _ in chosen], contents, word_hashes)


def list_texts(path: str) -> Iterator[tuple[bytes, str, str]]:
    """Yield a hash of its place, its file's short name, and the text of every record."""
    for name, record in read_records([path]):
        place = f"{name}\0{record.locator}".encode()
        yield xxhash.xxh3_128_digest(place), Path(name).name.partition(".")[0], record.text


def compare_all(corpus: Corpus) -> Pairs:
    """Return all pairs with a similarity of at least LEAST, by an inverted index of shingles."""
    grams_M, grams_D1 = hash_grams(
        corpus.word_hashes.hashes_N, corpus.word_hashes.offsets_D1, NEAR.words
    )
    docs_M = np.repeat(np.arange(len(corpus.contents)), np.diff(grams_D1))
    terms_M = np.unique(grams_M, return_inverse=True)[1]
    terms_S, docs_S = np.unique(np.stack([terms_M, docs_M]), axis=1)
    sizes_D = np.bincount(docs_S, minlength=len(corpus.contents))
    postings_T1 = np.searchsorted(terms_S, np.arange(terms_S.max(initial=0) + 2))
    order = np.lexsort((terms_S, docs_S))
    bounds_D1 = np.append(0, np.cumsum(sizes_D))
    found, similarities = [np.empty((0, 2), np.int64)], [np.empty(0)]
    for first in range(0, len(sizes_D), BLOCK):
        last = min(first + BLOCK, len(sizes_D))
        common = count_common(terms_S[order], bounds_D1, docs_S, postings_T1, first, last)
        union = sizes_D[first:last, None] + sizes_D - common
        similarity = common / np.maximum(union, 1)
        similar = np.nonzero(similarity >= LEAST)
        found.append(np.stack([similar[0] + first, similar[1]], axis=1))
        similarities.append(similarity[similar])
    return Pairs(np.concatenate(found), np.concatenate(similarities))


@njit
def count_common(
    terms_S: Int64s, bounds_D1: Int64s, docs_S: Int64s, postings_T1: Int64s, first: int, last: int
) -> Int32s:
    """Return how many shingles the documents of a block have in common with each before them.

    Shingles of document d are terms_S[bounds_D1[d] : bounds_D1[d + 1]]; the documents with shingle
    t, in order, are docs_S[postings_T1[t] : postings_T1[t + 1]].
    """
    common = np.zeros((last - first, len(bounds_D1) - 1), np.int32)
    for document in range(first, last):
        for term in terms_S[bounds_D1[document] : bounds_D1[document + 1]]:
            for other in docs_S[postings_T1[term] : postings_T1[term + 1]]:
                if other >= document:
                    break
                common[document - first, other] += 1
    return common


def find_met(signatures: Signatures, docs_Px2: Int64s) -> Bools:
    """Say which pairs share a band."""
    one, other = signatures.bands_DxB[docs_Px2[:, 0]], signatures.bands_DxB[docs_Px2[:, 1]]
    return np.asarray((one == other).any(axis=1))


def list_candidates(signatures: Signatures) -> Int64s:
    """Return the pairs that share a band, the later document first."""
    found: set[tuple[int, int]] = set()
    signed = np.flatnonzero(signatures.signed_D)
    for keys in signatures.bands_DxB[signed].T:
        order = np.argsort(keys, kind="stable")
        bounds = np.flatnonzero(np.diff(keys[order])) + 1
        for start, end in pairwise([0, *bounds.tolist(), len(order)]):
            docs = signed[order[start:end]].tolist()
            found.update((b, a) for at, b in enumerate(docs) for a in docs[:at])
    return np.array(sorted(found), np.int64).reshape(-1, 2)


def cluster(corpus: Corpus, signatures: Signatures) -> Int64s:
    """Return the first document of each document's cluster, by the kernels of the curate job."""
    size = len(corpus.contents)
    with tempfile.TemporaryDirectory() as folder:
        units = {}
        for uid, start in enumerate(range(0, size, UNIT)):
            units[uid] = Fingerprints(
                Path(folder, f"documents-{uid}"), Path(folder, f"bands-{uid}")
            )
            some = cut_documents(corpus, signatures, start, min(start + UNIT, size))
            write_fingerprints(units[uid], [some], NEAR)
        edges = [find_links(units, part, PARTITIONS, NEAR) for part in range(PARTITIONS)]
    edges_Ex2 = np.concatenate(edges)
    return find_roots((edges_Ex2 >> np.uint64(32)) * UNIT + edges_Ex2 % 2**32, size)


def cut_documents(corpus: Corpus, signatures: Signatures, start: int, end: int) -> Documents:
    """Return some of the documents as a unit's."""
    bounds = signatures.offsets_D1[start : end + 1]
    some = Signatures(
        signatures.bands_DxB[start:end],
        signatures.signed_D[start:end],
        signatures.shingles_S[bounds[0] : bounds[-1]],
        bounds - bounds[0],
    )
    numbers = np.arange(start, end)
    ids = [number.to_bytes(16) for number in numbers.tolist()]
    quality_D, rows_D = np.zeros(len(ids)), numbers.astype(np.uint32)
    return describe(ids, corpus.contents[start:end], quality_D, numbers, rows_D, some)


def find_roots(edges_Ex2: Uint64s, size: int) -> Int64s:
    """Return the first document of each document's component."""
    roots_D = np.arange(size)
    labels = find_components(edges_Ex2.astype(np.uint64))
    roots_D[labels.nodes_M.astype(np.int64)] = labels.roots_M
    return roots_D


def list_copies(contents: list[bytes]) -> Int64s:
    """Return pairs of each document and the first of the same content, where that is another."""
    first: dict[bytes, int] = {}
    pairs = [(at, first.setdefault(content, at)) for at, content in enumerate(contents)]
    return np.array([pair for pair in pairs if pair[0] != pair[1]], np.int64).reshape(-1, 2)


def show_bands(pairs: Pairs, signed: list[Signatures]) -> Table:
    """Return the table of found pairs by similarity, under the first seed and under all."""
    chance_P = np.array([match_probability(value, NEAR) for value in pairs.similarity_P.tolist()])
    met_TxP = np.stack([find_met(signatures, pairs.docs_Px2) for signatures in signed])
    table = Table(title=f"pairs that share a band, of all pairs; {NEAR}")
    for column in ("similarity", "pairs", "expected", "found", f"{SEEDS} seeds", "from … to"):
        table.add_column(column, justify="right")
    edges = np.arange(LEAST, 1, STEP)
    rows = [(f"{low:.2f} to {low + STEP:.2f}", low, low + STEP) for low in edges.tolist()]
    aim = NEAR.jaccard
    rows += [("1", 1.0, 2.0), (f"{aim} to 1", aim, 1.0), (f"from {aim}", aim, 2.0)]
    for name, low, high in rows:
        # Sums of steps fall short of their decimal values by some last bits.
        here = (pairs.similarity_P >= low - 1e-9) & (pairs.similarity_P < high - 1e-9)
        if not here.any():
            continue
        recall_T = met_TxP[:, here].mean(axis=1)
        chance = chance_P[here]
        spread = np.sqrt((chance * (1 - chance)).sum()) / len(chance)
        table.add_row(
            name,
            f"{len(chance):,}",
            f"{chance.mean():.2%} ± {spread:.2%}",
            f"{recall_T[0]:.2%}",
            f"{recall_T.mean():.2%} ± {recall_T.std(ddof=1) / np.sqrt(SEEDS):.2%}",
            f"{recall_T.min():.2%} … {recall_T.max():.2%}",
        )
    similar = pairs.similarity_P >= aim
    recall_T, chance = met_TxP[:, similar].mean(axis=1), chance_P[similar].mean()
    error = recall_T.std(ddof=1) / np.sqrt(SEEDS)
    table.caption = (
        "expected: mean match probability ± standard deviation, were pairs independent; "
        f"seeds: mean ± standard error. From {aim} the mean of all seeds is "
        f"{(recall_T.mean() - chance) / error:+.1f} standard errors from what is expected."
    )
    return table


def show_check(pairs: Pairs, signatures: Signatures) -> Table:
    """Return the table of precision before and after candidates are checked."""
    candidates = list_candidates(signatures)
    true = set(map(tuple, pairs.docs_Px2[pairs.similarity_P >= NEAR.jaccard].tolist()))
    right = np.array([tuple(pair) in true for pair in candidates.tolist()], bool)
    near = (check(signatures, *pair) >= NEAR.jaccard for pair in candidates.tolist())
    passed = np.fromiter(near, bool)
    table = Table(title=f"candidates of seed {NEAR.seed}")
    for column in ("", "pairs", "truly similar", "precision"):
        table.add_column(column, justify="right")
    for name, some in (("share a band", right), ("pass the check", right[passed])):
        table.add_row(name, f"{len(some):,}", f"{some.sum():,}", f"{some.mean():.3%}")
    return table


def check(signatures: Signatures, one: int, other: int) -> float:
    """Return the similarity of two documents that the check computes."""
    a, b = (
        signatures.shingles_S[signatures.offsets_D1[at] : signatures.offsets_D1[at + 1]]
        for at in (one, other)
    )
    return jaccard(a, b)


def show_clusters(corpus: Corpus, pairs: Pairs, signatures: Signatures) -> Table:
    """Return the table of clusters by file, here and of all truly similar pairs."""
    ours_D = cluster(corpus, signatures)
    similar = pairs.docs_Px2[pairs.similarity_P >= NEAR.jaccard]
    copies = list_copies(corpus.contents)
    truth_D = find_roots(np.concatenate([similar, copies]), len(ours_D))
    table = Table(title="clusters, and those of the graph of all similar pairs")
    columns = ("file of the first", "documents", "equal texts", "clusters", "copies", "largest")
    for column in (*columns, "true clusters", "true copies", "same"):
        table.add_column(column, justify="left" if column == columns[0] else "right")
    equal_D = np.isin(np.arange(len(ours_D)), copies[:, 0])
    sources_D = np.array(corpus.sources)
    for source in [*sorted(set(corpus.sources)), ""]:
        here_D = (sources_D == source) | (not source)
        ours, true = (list_clusters(roots_D, here_D) for roots_D in (ours_D, truth_D))
        table.add_row(
            source or "all",
            f"{here_D.sum():,}",
            f"{(equal_D & here_D).sum():,}",
            *(f"{len(ours):,}", f"{sum(map(len, ours)) - len(ours):,}"),
            f"{max(map(len, ours), default=0):,}",
            *(f"{len(true):,}", f"{sum(map(len, true)) - len(true):,}"),
            f"{len(ours & true):,}",
        )
    return table


def list_clusters(roots_D: Int64s, here_D: Bools) -> set[frozenset[int]]:
    """Return the clusters of two or more whose first document is one of those here."""
    clusters: dict[int, list[int]] = {}
    for document, root in enumerate(roots_D.tolist()):
        clusters.setdefault(root, []).append(document)
    return {frozenset(c) for root, c in clusters.items() if len(c) > 1 and here_D[root]}


def main() -> None:
    """Print the three tables."""
    documents = int(sys.argv[2]) if len(sys.argv) > 2 else 5000
    corpus = read_sample(sys.argv[1], documents)
    pairs = compare_all(corpus)
    seeds = [NEAR.seed + number for number in range(SEEDS)]
    signed = [sign(corpus.word_hashes, replace(NEAR, seed=seed)) for seed in seeds]
    console = Console(width=120)
    console.print(show_bands(pairs, signed))
    console.print(show_check(pairs, signed[0]))
    console.print(show_clusters(corpus, pairs, signed[0]))


if __name__ == "__main__":
    main()
