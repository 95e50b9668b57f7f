"""Counts of personal data."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipelines.edits.pii import KINDS, scrub
from pipelines.rules.batch import Batch
from pipelines.rules.families.pii import annotate
from pipelines.rules.own_rules import PII as RULES
from pipelines.settings import RuleSettings

texts = st.lists(
    st.sampled_from(
        ["jane@corp.net", "52.23.22.193", "+352 26203652", "4111111111111111", "word", "1.2.3.4"]
    ),
    max_size=6,
).map(", ".join)


@given(st.lists(texts, max_size=4))
def test_counts_are_those_of_scrubbing(documents):
    batch = Batch(
        pa.array(documents, pa.string()), pa.nulls(len(documents), pa.string()), RuleSettings()
    )
    values = annotate(batch)
    assert list(values) == list(RULES) == [f"pii_{kind}" for kind in KINDS]
    for kind in KINDS:
        expected = [scrub(text, KINDS)[1][kind] for text in documents]
        assert values[f"pii_{kind}"].tolist() == expected
