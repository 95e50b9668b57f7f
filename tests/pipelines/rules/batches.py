"""A batch of texts as the rule families take it."""

import pyarrow as pa

from pipelines.rules.batch import Batch
from pipelines.settings import RuleSettings


def make_batch(documents, line_rules=False, **settings):
    """Return a batch of documents without metadata."""
    array = pa.array(documents, pa.string())
    metadata = pa.array(["{}"] * len(documents), pa.string())
    return Batch(array, metadata, RuleSettings(**settings), line_rules)
