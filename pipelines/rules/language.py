"""The language rule: how probable it is that a text is in a wanted language."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from pipelines.bounds import Bounds
from pipelines.rules.batch import Batch

RULES: Mapping[str, Bounds] = {"language_score": Bounds(0.65, None)}


def annotate(batch: Batch) -> dict[str, npt.NDArray[np.float64]]:
    """Return the largest probability of a wanted language for D documents, float64 [D]."""
    return {"language_score": batch.languages.wanted_D}
