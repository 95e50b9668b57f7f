"""Laws of exact deduplication: one survivor a cluster, whatever the order and the cutting."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.dedupe.exact import cut_keys, find_clusters, pack_keys, to_hex

# A document: its content (few, so that copies occur), and the unit that holds it.
documents = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3)), max_size=30)


def hash_of(content):
    return (content * 0x2545F4914F6CDD1D2545F4914F6CDD1D % (1 << 128)).to_bytes(16)


def keys_of(corpus, ids):
    """Keys by unit of (content, unit) documents; rows count up within a unit."""
    units = {}
    for number, (content, unit) in enumerate(corpus):
        units.setdefault(unit, []).append((hash_of(content), ids[number].to_bytes(16)))
    return {
        unit: pack_keys([h for h, _ in rows], [i for _, i in rows], unit, range(len(rows)))
        for unit, rows in units.items()
    }


def clusters_of(corpus, ids, partitions):
    found = {}
    keys = keys_of(corpus, ids)
    for partition in range(partitions):
        parts = [cut_keys(part, partition, partitions) for part in keys.values()]
        for unit, members in find_clusters(parts).items():
            survivors = to_hex(members["survivor_high"], members["survivor_low"])
            found |= {
                (unit, int(row)): survivor
                for row, survivor in zip(members["row"], survivors, strict=True)
            }
    return found


@given(documents, st.randoms(), st.integers(1, 5))
def test_members_are_the_copies_and_the_smallest_id_survives(corpus, random, partitions):
    ids = list(range(1, len(corpus) + 1))
    random.shuffle(ids)
    rows, place = {}, []
    for _, unit in corpus:
        place.append((unit, rows.setdefault(unit, 0)))
        rows[unit] += 1
    by_content = {}
    for number, (content, _) in enumerate(corpus):
        by_content.setdefault(content, []).append(number)
    expected = {
        place[number]: f"{min(ids[other] for other in copies):032x}"
        for copies in by_content.values()
        if len(copies) > 1
        for number in copies
    }
    assert clusters_of(corpus, ids, partitions) == expected


@given(documents)
def test_cut_keys_deals_every_key_to_one_range(corpus):
    for keys in keys_of(corpus, list(range(len(corpus)))).values():
        parts = [cut_keys(keys, partition, 3) for partition in range(3)]
        assert np.array_equal(np.concatenate(parts), keys)


def test_the_highest_hash_belongs_to_the_last_range():
    keys = pack_keys([b"\xff" * 16], [b"\x01" * 16], 0, [0])
    assert [len(cut_keys(keys, partition, 2)) for partition in range(2)] == [0, 1]
