"""Keys that several documents hold, counted range by range in bounded memory.

What a unit keeps of its pieces is one column for each document and distinct key, sorted by key:
uint64 [R, K] with the rows KEY and, where passages are to be deleted, RANK, a number of its own
for each document. Keys are counted by equal ranges, cut out of all units' columns; what is repeated
in a range is uint64 [R + 1, U], one column for each key, with the rows KEY, COUNT (documents that
hold it) and, where there were ranks, OWNER, the smallest of them. All arrays can be saved and
mapped as they are.

Keys are hashes scattered over all 64 bits. Sorting and searching rely on that for their speed: the
highest bits of a key tell nearly where it stands among all of them.

    keys      03  1a  1f  55  5c  91  ff
    bucket    0   0   0   1   1   2   3       the two highest of eight bits
    places    0           3       5   6  7    where each bucket begins
"""

from collections.abc import Sequence

import numpy as np

from pipelines.dedupe.passages import Pieces
from pipelines.settings import PassageSettings
from pipelines.words.compiled import njit
from pipelines.words.hashing import find_slot
from weighting.array_tools import find_key_range
from weighting.arrays import Bools, Int64s, Uint64s

KEY, RANK = 0, 1  # rows of a unit's columns
COUNT, OWNER = 1, 2  # rows of what is repeated, besides KEY
BYTES_PER_WORD = 4  # of text; English has 6, and what is left at the ends of lines are their keys
# Of memory for a key: mapped, sorted, and what is repeated (at most every second) twice.
SORT_BYTES = {False: 32, True: 56}  # where passages are deleted: True


def pack_keys(pieces: Pieces, ranks_D: Uint64s | None = None) -> Uint64s:
    """Return the columns of D documents, uint64 [R, K]; the ranks are given to delete passages."""
    offsets = (pieces.block_offsets_D1, pieces.window_offsets_D1 + len(pieces.kinds_B))
    first_M = np.concatenate([find_firsts(pieces.keys_M, some_D1) for some_D1 in offsets])
    rows = [pieces.keys_M[first_M]]
    if ranks_D is not None:
        rows.append(ranks_D[pieces.documents_M[first_M]])
    return sort_columns([np.stack(rows)])


def cut_range(columns: Uint64s, number: int, ranges: int) -> Uint64s:
    """Return the columns whose key falls into one of equal ranges; a view."""
    return columns[:, find_key_range(columns[KEY], number, ranges)]


def count_repeats(parts: Sequence[Uint64s], least: int) -> Uint64s:
    """Return the keys that at least `least` documents hold, uint64 [R + 1, U] as said above.

    `parts` are the columns of one range of keys, of all units and in any order.
    """
    return group_keys(sort_columns(parts), least)


def select_all(columns: Uint64s, ranges: Sequence[Uint64s]) -> Uint64s:
    """Return, of what is repeated in each range, what a unit's columns hold: [R + 1, U]."""
    found = [
        select(cut_range(columns, number, len(ranges)), repeats)
        for number, repeats in enumerate(ranges)
    ]
    return np.concatenate(found, axis=1)


def select(columns: Uint64s, repeats: Uint64s) -> Uint64s:
    """Return those of the repeated keys that some sorted columns hold."""
    return repeats[:, find_sorted(columns[KEY], repeats[KEY])]


def look_up(keys_M: Uint64s, repeats: Uint64s) -> Uint64s:
    """Return what is known of M keys in any order, uint64 [R, M]: COUNT - 1, OWNER - 1; else 0."""
    found = np.zeros((len(repeats) - 1, len(keys_M)), np.uint64)
    keys_U = repeats[KEY]
    if len(keys_U):
        low, shift, places = choose_buckets(int(keys_U[0]), int(keys_U[-1]), len(keys_U))
        count_by_bucket(keys_U, low, shift, places)
        find_unsorted(keys_M, repeats, np.cumsum(places), shift, found)
    return found


def estimate_ranges(text_bytes: int, settings: PassageSettings, memory: int) -> int:
    """Return how many ranges to cut the keys of so much text into, for `memory` bytes each."""
    keys = text_bytes // BYTES_PER_WORD
    return max(1, -(-keys * SORT_BYTES[settings.delete] // memory))


def sort_columns(parts: Sequence[Uint64s]) -> Uint64s:
    """Return the columns of all parts, sorted by key.

    Columns are put into buckets by the highest bits of their keys, a few to each (as counting sort
    does); what is left to do within the buckets is done by insertion. Sorting uint64 by NumPy takes
    some five times as long.
    """
    total = sum(part.shape[1] for part in parts)
    if not total:
        return np.concatenate(parts, axis=1) if parts else np.empty((1, 0), np.uint64)
    filled = [part[KEY] for part in parts if part.shape[1]]
    ends = min(int(keys.min()) for keys in filled), max(int(keys.max()) for keys in filled)
    low, shift, places = choose_buckets(*ends, total)
    for keys in filled:
        count_by_bucket(keys, low, shift, places)
    np.cumsum(places, out=places)  # counts, each one place late, become where buckets begin
    columns = np.empty((len(parts[0]), total), np.uint64)
    for part in parts:
        put_in_buckets(part, low, shift, places, columns)
    sort_by_insertion(columns)
    return columns


def choose_buckets(low: int, high: int, keys: int) -> tuple[np.uint64, np.uint64, Int64s]:
    """Return how keys from `low` to `high` fall into buckets of two to eight, were they even.

    The bucket of a key is (key - low) >> shift. The third is a zero for every bucket, and one more.
    """
    # keys // 4 buckets, rounded down to a power of two (of the width, rounded up, just as well).
    shift = max(0, (high - low).bit_length() - max(1, keys // 4).bit_length())
    return np.uint64(low), np.uint64(shift), np.zeros(((high - low) >> shift) + 2, np.int64)


@njit
def count_by_bucket(keys: Uint64s, low: np.uint64, shift: np.uint64, places: Int64s) -> None:
    """Count keys by bucket, each at the place after its own."""
    for key in keys:
        places[((key - low) >> shift) + np.uint64(1)] += 1


@njit
def put_in_buckets(
    part: Uint64s, low: np.uint64, shift: np.uint64, places: Int64s, columns: Uint64s
) -> None:
    """Write columns to the next free places of their buckets, which move on by one each."""
    for at in range(part.shape[1]):
        bucket = (part[0, at] - low) >> shift
        place = places[bucket]
        places[bucket] = place + 1
        for row in range(len(part)):
            columns[row, place] = part[row, at]


@njit
def sort_by_insertion(columns: Uint64s) -> None:
    """Sort columns that are nearly sorted by key."""
    held = np.empty(len(columns), np.uint64)
    for at in range(1, columns.shape[1]):
        key, place = columns[0, at], at
        if columns[0, at - 1] <= key:  # most: a bucket holds few, and many are in order by chance
            continue
        for row in range(len(columns)):
            held[row] = columns[row, at]
        while place and columns[0, place - 1] > key:
            for row in range(len(columns)):
                columns[row, place] = columns[row, place - 1]
            place -= 1
        for row in range(len(columns)):
            columns[row, place] = held[row]


@njit
def group_keys(columns: Uint64s, least: int) -> Uint64s:
    """Return the keys of at least so many sorted columns, their number and smallest rank."""
    # Each key that is returned uses up `least` columns, so there is room for all.
    repeats = np.empty((len(columns) + 1, columns.shape[1] // least), np.uint64)
    size, first = 0, 0
    for at in range(1, columns.shape[1] + 1):  # one more: the end closes the last run
        if at < columns.shape[1] and columns[0, at] == columns[0, first]:
            continue
        if at - first >= least:
            repeats[0, size], repeats[1, size] = columns[0, first], at - first
            if len(columns) > 1:
                repeats[2, size] = columns[1, first:at].min()
            size += 1
        first = at
    return repeats[:, :size].copy()


@njit
def find_firsts(keys_M: Uint64s, offsets_D1: Int64s) -> Bools:
    """Say of the keys between the first and the last offset whether they are new in their text."""
    longest = 0
    for document in range(len(offsets_D1) - 1):
        longest = max(longest, offsets_D1[document + 1] - offsets_D1[document])
    # One table serves all texts, each its first places: to clear those costs no more than to fill.
    table = np.empty(4 * longest + 4, np.uint64)
    first_M = np.zeros(offsets_D1[-1] - offsets_D1[0], np.bool_)
    for document in range(len(offsets_D1) - 1):
        size = 4
        while size < 2 * (offsets_D1[document + 1] - offsets_D1[document]):
            size *= 2
        seen = table[:size]
        seen[:] = np.uint64(0)
        for at in range(offsets_D1[document], offsets_D1[document + 1]):
            key = keys_M[at] or np.uint64(1)  # 0 is a free slot
            slot = find_slot(seen, key)
            first_M[at - offsets_D1[0]] = seen[slot] != key
            seen[slot] = key
    return first_M


@njit
def find_sorted(keys_K: Uint64s, among_U: Uint64s) -> Int64s:
    """Return the places in `among_U` of those of K keys that are there; both are sorted.

    From key to key the search goes on in steps that double, then halves the last: keys that lie
    near each other are found in a few steps, and far ones in as many as by halving everything.
    """
    places, size, at = np.empty(min(len(keys_K), len(among_U)), np.int64), 0, 0
    for key in keys_K:
        step = 1
        while at + step < len(among_U) and among_U[at + step] < key:
            at, step = at + step, 2 * step
        while step:
            if at + step <= len(among_U) and among_U[at + step - 1] < key:
                at += step
            step //= 2
        if at == len(among_U):
            break
        # A key that several documents of the unit hold is found once.
        if among_U[at] == key and (not size or places[size - 1] != at):
            places[size] = at
            size += 1
    return places[:size]


@njit
def find_unsorted(
    keys_M: Uint64s, repeats: Uint64s, places: Int64s, shift: np.uint64, found: Uint64s
) -> None:
    """Write the rows of what is repeated, without the keys, to `found`, for each of M keys.

    Bucket b of the keys, by their highest bits, begins at places[b].
    """
    known = repeats[0]
    low, high = known[0], known[-1]
    for at in range(len(keys_M)):
        key = keys_M[at]
        if low <= key <= high:
            place = places[(key - low) >> shift]
            # It ends, for the largest known key is not below this one.
            while known[place] < key:
                place += 1
            if known[place] == key:
                for row in range(len(found)):
                    found[row, at] = repeats[row + 1, place]
