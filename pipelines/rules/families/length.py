"""The length of a text. No bounds are published; recipes set their own."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.rules.batch import Batch
from weighting.arrays import Float64s


def annotate(batch: Batch) -> dict[str, Float64s]:
    """Return both lengths of D documents, float64 [D] each."""
    texts_D = pc.utf8_trim_whitespace(batch.texts_D)
    parts_D = pc.list_value_length(pc.utf8_split_whitespace(texts_D))
    words_D = pc.if_else(pc.equal(texts_D, ""), 0, parts_D)
    return {
        "length_chars": _to_floats(pc.utf8_length(batch.texts_D)),
        "length_words": _to_floats(words_D),
    }


def _to_floats(values_D: pa.Array) -> Float64s:
    return np.asarray(values_D.cast(pa.float64()))
