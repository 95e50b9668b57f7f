"""How much personal data a text has, by kind. No bounds are published; recipes set their own.

Counts are of the text before anything is replaced: a text with none need not be scrubbed.
"""

from collections import Counter

import numpy as np

from pipelines.edits.pii import KINDS, find
from pipelines.rules.batch import Batch
from weighting.arrays import Float64s


def annotate(batch: Batch) -> dict[str, Float64s]:
    """Return the counts of D documents, float64 [D] a kind."""
    counts_D = [
        Counter(item.kind for item in find(text, KINDS, batch.settings.compat))
        for text in batch.texts_D.to_pylist()
    ]
    return {f"pii_{kind}": np.array([counts[kind] for counts in counts_D], float) for kind in KINDS}
