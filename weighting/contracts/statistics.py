"""Contracts of RUN/stats/*.parquet.

They count per token id, signal, rule, pair of rules, source, reason, and kind of what is no
document.
"""

from collections.abc import Sequence

import pyarrow as pa

from weighting.signals.registry import list_of_types

# Facts about the types, whatever the policy.
TYPE_STATS = pa.schema(
    [
        pa.field("token_id", pa.int64(), nullable=False),
        pa.field("token", pa.string(), nullable=False),  # its text; part of a character as \xe5
        pa.field("count_train", pa.int64(), nullable=False),
        pa.field("count_validation", pa.int64(), nullable=False),
        pa.field("holders", pa.int64(), nullable=False),  # train documents that hold it
        pa.field("decile", pa.int32()),  # of train tokens, 1 the commonest; null where not in train
    ]
)


def type_stats_schema(stored: Sequence[str]) -> pa.Schema:
    """Return TYPE_STATS, the signals of types, and the means of the stored ones over each type."""
    own = [pa.field(name, pa.float64(), nullable=False) for name in list_of_types()]
    means = [pa.field(f"mean_{name}", pa.float64()) for name in stored]  # null where it is unseen
    return pa.schema([*TYPE_STATS, *own, *means])


# What a policy makes of the types.
TYPE_WEIGHTS = pa.schema(
    [
        pa.field("token_id", pa.int64(), nullable=False),
        pa.field("weight_mass", pa.float64(), nullable=False),  # summed over both splits
        pa.field("mean_weight", pa.float64()),  # null where the type does not occur
    ]
)

# Of text tokens, without the end-of-text tokens.
SIGNAL_STATS = pa.schema(
    [
        pa.field("signal", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),  # weighting.signals.signal.Kind
        pa.field("meaning", pa.string(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("tokens", pa.int64(), nullable=False),
        pa.field("mean", pa.float64()),  # null where the split has no token
        pa.field("sd", pa.float64()),
        pa.field("low", pa.float64()),
        pa.field("high", pa.float64()),
    ]
)

# Both splits, low <= value < high, finer bins near 0; the outermost ones take what is beyond.
SIGNAL_HISTOGRAM = pa.schema(
    [
        pa.field("signal", pa.string(), nullable=False),
        pa.field("low", pa.float64(), nullable=False),
        pa.field("high", pa.float64(), nullable=False),
        pa.field("tokens", pa.int64(), nullable=False),
    ]
)

# One row an ordered pair of signals, both splits together; Pearson's r, null where one is constant.
SIGNAL_CORRELATION = pa.schema(
    [
        pa.field("signal", pa.string(), nullable=False),
        pa.field("other", pa.string(), nullable=False),
        pa.field("correlation", pa.float64()),
    ]
)

# Tokens by what their loss did over the reference's checkpoints (weighting.signals.trajectory).
TRAJECTORY_STATS = pa.schema(
    [
        pa.field("trajectory", pa.string(), nullable=False),  # HL, LL, HH or LH
        pa.field("split", pa.string(), nullable=False),
        pa.field("tokens", pa.int64(), nullable=False),
        pa.field("weight_mass", pa.float64(), nullable=False),
    ]
)

# Weight by source and frequency decile of the type (0: it is not in train), both splits together.
DECILE_STATS = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("decile", pa.int32(), nullable=False),
        pa.field("tokens", pa.int64(), nullable=False),
        pa.field("weight_mass", pa.float64(), nullable=False),
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
        pa.field("valued_documents", pa.int64(), nullable=False),  # of all read: it has a value
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

# Fields of documents that could not be kept as metadata: they are null there. By unit, as below.
LEFT_OUT_STATS = pa.schema(
    [
        pa.field("unit", pa.int64(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("fields", pa.int64(), nullable=False),
    ]
)

# Stored records that are intact, but not documents: a crawler's notes. By unit, so that a unit
# can be put together again without reading it.
SKIPPED_STATS = pa.schema(
    [
        pa.field("unit", pa.int64(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("records", pa.int64(), nullable=False),
    ]
)
