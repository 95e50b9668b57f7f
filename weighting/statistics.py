"""Contracts of RUN/stats/*.parquet.

They count per token id, rule, pair of rules, source, reason, and kind of what is no document.
"""

import pyarrow as pa

TOKEN_STATS = pa.schema(
    [
        pa.field("token_id", pa.int64(), nullable=False),
        pa.field("token", pa.string(), nullable=False),  # its text; bytes that are no UTF-8 as �
        pa.field("count_train", pa.int64(), nullable=False),
        pa.field("count_validation", pa.int64(), nullable=False),
        pa.field("surprisal", pa.float64(), nullable=False),  # nats
        pa.field("mean_gain", pa.float64()),  # nats; null where the type does not occur
        pa.field("weight_mass", pa.float64(), nullable=False),  # summed over both splits
        pa.field("mean_weight", pa.float64()),
    ]
)

RULE_STATS = pa.schema(
    [
        pa.field("rule", pa.string(), nullable=False),
        pa.field("documents", pa.int64(), nullable=False),  # of which it was the first to fail
        pa.field("chars", pa.int64(), nullable=False),
        pa.field("tokens", pa.int64(), nullable=False),
        pa.field("alone_documents", pa.int64(), nullable=False),  # that no other rule would drop
        pa.field("alone_tokens", pa.int64(), nullable=False),
        pa.field("failing_documents", pa.int64(), nullable=False),  # alone or with other rules
        pa.field("failing_tokens", pa.int64(), nullable=False),
    ]
)

# One row a pair of rules that some document fails both; a rule with itself is what fails it.
RULE_OVERLAP = pa.schema(
    [
        pa.field("rule", pa.string(), nullable=False),
        pa.field("other", pa.string(), nullable=False),
        pa.field("documents", pa.int64(), nullable=False),
        pa.field("tokens", pa.int64(), nullable=False),
    ]
)

SOURCE_STATS = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("documents", pa.int64(), nullable=False),
        pa.field("tokens", pa.int64(), nullable=False),
        pa.field("weight_mass", pa.float64(), nullable=False),
    ]
)

REASON_STATS = pa.schema(
    [
        pa.field("reason", pa.string(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("tokens", pa.int64(), nullable=False),
        pa.field("weight_mass", pa.float64(), nullable=False),
    ]
)

# Stored records that are whole and no document, such as a crawler's notes; by unit, so that a unit
# can be put together again without reading it.
SKIPPED_STATS = pa.schema(
    [
        pa.field("unit", pa.int64(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("records", pa.int64(), nullable=False),
    ]
)
