"""Halves of a corpus: a document belongs to half a or half b by its id, for ever.

A model that was trained on one half says what a reader would expect who has not seen the documents
of the other (held-out references: Mindermann et al. 2022, RHO-LOSS, 2206.07137). The bit is hashed
from the whole id, so it says nothing of the split, which is read off an id's last digits.
"""

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np

from weighting.arrays import Bools
from weighting.contracts.splits import WHOLE, A, B

SALT = b"assay halves"  # other hashes of the same ids, and other people's, fall otherwise


def is_of_half(doc_ids: Iterable[str], half: str) -> Bools:
    """Return which of D documents belong to a half; to the whole belong all.

    >>> is_of_half(["one", "two", "three"], "a").tolist()
    [True, True, False]
    """
    in_b_D = np.array([_draw_bit(doc_id) for doc_id in doc_ids], bool)
    return {A: ~in_b_D, B: in_b_D, WHOLE: np.ones_like(in_b_D)}[half]


def _draw_bit(doc_id: str) -> int:
    return blake2b(doc_id.encode(), digest_size=1, person=SALT).digest()[0] & 1
