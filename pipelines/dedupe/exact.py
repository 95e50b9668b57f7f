"""Exact duplicates by content hash: packed keys, no text.

Documents are copies when the 128-bit xxh3 hashes of their repaired texts agree. Of a cluster the
copy with the smallest doc_id survives: a rule of the records alone, not of their order or of the
number of workers. (Copies are alike in quality and length, so nothing else can decide.)
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

# Content hash, document id (two big-endian halves each), and where the document stands.
KEYS = np.dtype(
    [
        ("hash_high", np.uint64),
        ("hash_low", np.uint64),
        ("id_high", np.uint64),
        ("id_low", np.uint64),
        ("unit", np.uint32),
        ("row", np.uint32),
    ]
)
# One member of a cluster of two or more: its row, its cluster and the cluster's survivor.
MEMBERS = np.dtype(
    [
        ("row", np.uint32),
        ("hash_high", np.uint64),
        ("hash_low", np.uint64),
        ("survivor_high", np.uint64),
        ("survivor_low", np.uint64),
    ]
)
Keys = npt.NDArray[np.void]
Members = npt.NDArray[np.void]


def pack_keys(
    hashes: Sequence[bytes], ids: Sequence[bytes], unit: int, rows: Sequence[int]
) -> Keys:
    """Return KEYS of documents from 16-byte content hashes and 16-byte ids, sorted by hash."""
    keys = np.zeros(len(hashes), KEYS)
    for name, values in (("hash", hashes), ("id", ids)):
        halves = np.frombuffer(b"".join(values), ">u8").reshape(-1, 2)
        keys[f"{name}_high"], keys[f"{name}_low"] = halves[:, 0], halves[:, 1]
    keys["unit"], keys["row"] = unit, rows
    return np.sort(keys, order=["hash_high", "hash_low", "id_high", "id_low"])


def cut_keys(keys: Keys, partition: int, partitions: int) -> Keys:
    """Return the keys whose hash falls into one of `partitions` equal ranges."""
    high = keys["hash_high"]
    edges = [(1 << 64) * at // partitions for at in (partition, partition + 1)]
    low = int(np.searchsorted(high, np.uint64(edges[0])))
    stop = len(high) if edges[1] >= 1 << 64 else int(np.searchsorted(high, np.uint64(edges[1])))
    return keys[low:stop]


def find_clusters(parts: Sequence[Keys]) -> dict[int, Members]:
    """Return the members of all clusters of two or more documents, by unit.

    `parts` are the keys of one hash range from all units. Survivors are members too: their own id
    is their survivor's.
    """
    keys = np.concatenate([np.empty(0, KEYS), *parts])
    keys = np.sort(keys, order=["hash_high", "hash_low", "id_high", "id_low"])
    first = np.ones(len(keys), bool)
    for half in ("hash_high", "hash_low"):
        first[1:] &= keys[half][1:] == keys[half][:-1]
    first[1:] = ~first[1:]
    cluster = np.cumsum(first) - 1
    sizes = np.bincount(cluster) if len(keys) else np.empty(0, np.int64)
    survivors = keys[first][cluster] if len(keys) else keys
    copies = sizes[cluster] > 1 if len(keys) else np.empty(0, bool)
    return _by_unit(keys[copies], survivors[copies])


def _by_unit(keys: Keys, survivors: Keys) -> dict[int, Members]:
    members = np.zeros(len(keys), MEMBERS)
    members["row"] = keys["row"]
    for half in ("high", "low"):
        members[f"hash_{half}"] = keys[f"hash_{half}"]
        members[f"survivor_{half}"] = survivors[f"id_{half}"]
    return {int(unit): members[keys["unit"] == unit] for unit in np.unique(keys["unit"])}


def to_hex(high: npt.NDArray[np.uint64], low: npt.NDArray[np.uint64]) -> list[str]:
    """Return the 32 hexadecimal digits of 128-bit numbers given as halves."""
    return [f"{a:016x}{b:016x}" for a, b in zip(high.tolist(), low.tolist(), strict=True)]
