"""What the tests of rule families share: batches, characters, and the plain reading's division."""

import math

import pyarrow as pa
from hypothesis import strategies as st

from pipelines.rules.batch import Batch
from pipelines.rules.registry import OWN
from pipelines.settings import RuleSettings

TEXT = st.characters(exclude_categories=["Cs"])  # every character that a text may hold


def share(part, whole):
    return part / whole if whole else math.nan


def judge_as(batch, *languages):
    """Return a batch whose documents are judged as of the given languages."""
    batch.__dict__["judged_as_D"] = list(languages)
    return batch


def make_batch(documents, line_rules=False, **settings):
    """Return a batch of documents without metadata, judged as English."""
    settings = {"families": [name for name in OWN if name != "language"], **settings}
    array = pa.array(documents, pa.string())
    metadata = pa.array(["{}"] * len(documents), pa.string())
    return Batch(array, metadata, RuleSettings(**settings), line_rules)
