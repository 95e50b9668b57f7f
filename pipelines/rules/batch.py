"""What a rule family sees: a batch of documents and what several families compute from it."""

from dataclasses import dataclass

import pyarrow as pa

from pipelines.settings import RuleSettings


@dataclass(frozen=True)
class Batch:
    """D documents under annotation: their texts, and their other fields as JSON."""

    texts_D: pa.StringArray
    metadata_D: pa.StringArray
    settings: RuleSettings
