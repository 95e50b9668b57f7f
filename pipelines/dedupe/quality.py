"""How good a document is, beside its copies: by a rule that the recipe names, or by all of them."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from pipelines.rules.bounds import Bounds
from weighting.arrays import Float64s


def measure_quality(
    batch: pa.RecordBatch, rule: str | None, bounds: Mapping[str, Bounds]
) -> Float64s:
    """Return the quality of D documents with a column for each rule, float64 [D]; more is better.

    It is the value of `rule`, -inf where it has none; without one, minus the number of `bounds`
    that the document fails, enforced or not.
    """
    if rule is not None:
        return np.asarray(np.nan_to_num(_read(batch, rule), nan=-np.inf))
    failed = [bound.fails(_read(batch, name)) for name, bound in bounds.items()]
    return np.asarray(-np.sum([np.zeros(len(batch)), *failed], axis=0))


def _read(batch: pa.RecordBatch, name: str) -> Float64s:
    """Return a column of float64; NaN where it is null."""
    return np.asarray(batch.column(name).to_numpy(zero_copy_only=False), np.float64)
