"""Small corpora of shingle sets, their fingerprints, and what brute force says of them."""

from itertools import combinations
from typing import NamedTuple
from unittest.mock import patch

import numpy as np

from pipelines.dedupe.fingerprints import Fingerprints, describe, write_fingerprints
from pipelines.dedupe.minhash import Signatures, draw_functions, fill_bands
from pipelines.settings import NearSettings

NEAR = NearSettings(bands=6, rows=2, jaccard=0.6)


class Doc(NamedTuple):
    """A document: its content is its shingles and, where two are to differ all the same, a note."""

    id: int
    shingles: frozenset[int]
    note: int = 0
    quality: float = 0.0
    length: int = 0

    @property
    def content(self) -> bytes:
        numbers = (self.note, *sorted(self.shingles))
        value = 1
        for number in numbers:
            value = (value * 0x9E3779B97F4A7C15F39CC0605CEDC835 + number + 1) % 2**128
        return value.to_bytes(16)


def sign(docs, near):
    """Signatures of documents given as sets."""
    sets = [np.array(sorted(doc.shingles), np.uint32) for doc in docs]
    offsets = np.cumsum([0, *(len(some) for some in sets)])
    shingles = np.concatenate([np.empty(0, np.uint32), *sets])
    bands = np.empty((len(docs), near.bands), np.uint64)
    functions = draw_functions(near.bands * near.rows, near.seed)
    fill_bands(shingles.astype(np.uint64), offsets, *functions, bands)
    return Signatures(bands, np.diff(offsets) > 0, shingles, offsets)


def describe_docs(docs, near=NEAR, first_row=0):
    return describe(
        [doc.id.to_bytes(16) for doc in docs],
        [doc.content for doc in docs],
        np.array([doc.quality for doc in docs], np.float64),
        np.array([doc.length for doc in docs], np.int64),
        np.arange(first_row, first_row + len(docs), dtype=np.uint32),
        sign(docs, near) if near else None,
    )


def write_units(folder, units, near=NEAR, published=()):
    """Write the fingerprints of {uid: documents}; return {uid: Fingerprints}."""
    found = {}
    for uid, docs in units.items():
        paths = folder / f"documents-{uid}.arrow", folder / f"bands-{uid}.arrow"
        found[uid] = Fingerprints(*paths, published=uid in published)
        with patch("weighting.storage.files.sync"):  # tests need no power cut survived
            write_fingerprints(found[uid], [describe_docs(docs, near)], near)
    return found


def list_nodes(units):
    """The documents of {uid: documents} by node."""
    return {uid << 32 | at: doc for uid, docs in units.items() for at, doc in enumerate(docs)}


def measure(one, other):
    union = one.shingles | other.shingles
    return len(one.shingles & other.shingles) / len(union) if union else 0.0


def find_pairs(units, near=NEAR, published=()):
    """All pairs of nodes that share a key and pass the check, by comparing each with each."""
    nodes = list_nodes(units)
    docs = list(nodes.values())
    bands = dict(zip(nodes, sign(docs, near).bands_DxB, strict=True)) if near else {}
    pairs = []
    for (a, one), (b, other) in combinations(nodes.items(), 2):
        if a >> 32 in published and b >> 32 in published:
            continue
        near_copy = (
            near is not None
            and (bands[a] == bands[b]).any()
            and measure(one, other) >= near.jaccard
        )
        if one.content == other.content or near_copy:
            pairs.append((a, b))
    return pairs
