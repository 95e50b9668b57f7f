"""Which documents are for training and which for validation: a function of their ids.

The last 32 bits of an id are a number in [0, 1), and those below the share are held out. So what a
document belongs to does not depend on the others; but in a small corpus, where a split would stay
empty, it takes the document whose number is nearest to it.
"""

from collections.abc import Iterable

import numpy as np
import pyarrow.parquet as pq

from pipelines.settings import Job
from weighting.arrays import Bools, Int64s

NUMBERS = 16**8
DIGITS = 8


def choose_train(doc_ids: list[str], share: float) -> Bools:
    """Return which documents are for training: those whose number is not below the share."""
    return np.asarray(_read_numbers(doc_ids) >= int(share * NUMBERS))


def fill_splits(uids: Iterable[int], share: float, job: Job) -> float:
    """Return the share, moved as little as it takes for no split to stay empty.

    At share 0 everything is for training, and so is a document that is the only one. Units are read
    until both splits have a document: mostly the first.
    """
    if not share:
        return share
    bound, lowest, highest = int(share * NUMBERS), NUMBERS, -1
    for uid in sorted(uids):
        numbers_D = _read_numbers(_read_ids(job, uid))
        lowest = min([lowest, *numbers_D.tolist()])
        highest = max([highest, *numbers_D.tolist()])
        if lowest < bound <= highest:
            return share
    if highest >= 0:
        bound = min(max(bound, lowest + 1), highest)
    return bound / NUMBERS


def _read_ids(job: Job, uid: int) -> list[str]:
    table = pq.read_table(job.output("documents", uid, ".parquet"), columns=["doc_id"])
    ids: list[str] = table["doc_id"].to_pylist()
    return ids


def _read_numbers(doc_ids: list[str]) -> Int64s:
    return np.fromiter((int(one[-DIGITS:], 16) for one in doc_ids), np.int64, len(doc_ids))
