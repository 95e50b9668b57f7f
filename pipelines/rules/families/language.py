"""The language rule: how probable it is that a text is in a wanted language."""

from collections.abc import Mapping

from pipelines.rules.batch import Batch
from pipelines.rules.bounds import Bounds
from pipelines.rules.rule import Rule
from weighting.arrays import Float64s

RULES: Mapping[str, Rule] = {
    "language_score": Rule(
        "largest probability of a language in languages, or of any where none is named",
        Bounds(0.65, None),
        "FineWeb, arXiv 2406.17557, 3.3; fastText's lid.176, arXiv 1607.01759",
    ),
}


def annotate(batch: Batch) -> dict[str, Float64s]:
    """Return the largest probability of a wanted language for D documents, float64 [D]."""
    return {"language_score": batch.languages.wanted_D}
