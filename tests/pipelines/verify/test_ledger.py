"""What rules cost: counted by hand and from the ledger."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.rules.registry import RULES as RECORDS
from pipelines.verify.ledger import count_languages, count_rules
from weighting.contracts.counts import LanguageCounts
from weighting.contracts.documents import ledger_schema

RULES = list(RECORDS)


def make_ledger(rows):
    """A ledger of (failing rules, characters, tokens)."""
    columns = {
        "verdict": pa.array(["dropped" if failed else "kept" for failed, *_ in rows], pa.string()),
        "rule": pa.array([failed[0] if failed else None for failed, *_ in rows], pa.string()),
        "failed": pa.array([failed for failed, *_ in rows], pa.list_(pa.string())),
        "chars": pa.array([chars for _, chars, _ in rows], pa.int64()),
        "tokens": pa.array([tokens for *_, tokens in rows], pa.int64()),
    }
    return pa.table(columns)


failures = st.lists(st.sampled_from(RULES), max_size=4, unique=True)
ledgers = st.lists(st.tuples(failures, st.integers(0, 10**9), st.integers(0, 10**9)), max_size=30)


@given(ledgers, st.integers(1, 8))
def test_costs_and_overlaps_are_what_a_loop_counts(rows, at_once):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.verify.ledger.RULES_AT_ONCE", at_once)
        costs, overlap = count_rules(make_ledger(rows), dict.fromkeys(RULES, 7))
    for cost in costs.to_pylist():
        rule = cost["rule"]
        first = [row for row in rows if row[0][:1] == [rule]]
        alone = [row for row in rows if row[0] == [rule]]
        failing = [row for row in rows if rule in row[0]]
        assert cost == {
            "rule": rule,
            "documents": len(first),
            "chars": sum(row[1] for row in first),
            "tokens": sum(row[2] for row in first),
            "alone_documents": len(alone),
            "alone_tokens": sum(row[2] for row in alone),
            "failing_documents": len(failing),
            "failing_tokens": sum(row[2] for row in failing),
            "valued_documents": 7,
        }
    assert costs["rule"].to_pylist() == RULES
    pairs = {(row["rule"], row["other"]): row for row in overlap.to_pylist()}
    failed = {rule for row in rows for rule in row[0]}
    both = [(one, two) for one in failed for two in failed]
    expected = {pair: [row for row in rows if {*pair} <= {*row[0]}] for pair in both}
    assert {pair: row["documents"] for pair, row in pairs.items()} == {
        pair: len(found) for pair, found in expected.items() if found
    }
    assert all(row["tokens"] == sum(r[2] for r in expected[pair]) for pair, row in pairs.items())


def test_languages_are_counted_by_what_documents_were_judged_as(tmp_path):
    asking = [name for name, rule in RECORDS.items() if rule.asks]
    rows = [  # judged as, language, verdict, stop words
        ("en", "en", "kept", 3.0),
        ("en", "fr", "dropped", 0.0),
        ("en", None, "kept", 0.0),
        ("ko", "ko", "kept", None),
        ("ko", "ko", "duplicate", None),
        (None, None, "quarantined", None),
    ]
    names = ["judged_as", "language", "verdict"]
    (tmp_path / "ledger").mkdir()
    for unit, part in enumerate((rows[:4], rows[4:])):
        dicts = [
            dict(zip(names, row, strict=False))
            | dict.fromkeys(asking, 1.0)
            | {"gopher_stop_words": row[3]}
            for row in part
        ]
        fields = [field for field in ledger_schema(asking) if field.name in dicts[0]]
        table = pa.Table.from_pylist(dicts, pa.schema(fields))
        pq.write_table(table, tmp_path / "ledger" / f"{unit}.parquet")
    assert count_languages(tmp_path) == {
        "en": LanguageCounts(documents=3, kept=2, unknown=1, unvalued={}),
        "ko": LanguageCounts(documents=2, kept=1, unknown=0, unvalued={"gopher_stop_words": 2}),
    }
