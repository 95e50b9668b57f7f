"""The language rule: how probable it is that a text is in a wanted language."""

from pipelines.rules.batch import Batch
from weighting.arrays import Float64s


def annotate(batch: Batch) -> dict[str, Float64s]:
    """Return the largest probability of a wanted language for D documents, float64 [D]."""
    return {"language_score": batch.languages.wanted_D}
