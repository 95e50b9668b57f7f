"""A run that keeps nothing says what took it all."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.run.checks import check_kept
from pipelines.curate import quarantine
from pipelines.curate.quarantine import Entry
from weighting.errors import AssayError

UNREADABLE = Entry("a", "jsonl", "byte 0", "missing_field", "no field 'text'; there is body", b"")


def build(run, *rows, entries=()):
    """Write a ledger of (verdict, rule) and a quarantine."""
    (run / "run.json").write_text("{}")
    (run / "ledger").mkdir()
    verdicts, rules = zip(*rows, strict=True)
    table = pa.table({"verdict": verdicts, "rule": pa.array(rules, pa.string())})
    pq.write_table(table, run / "ledger" / "000000.parquet")
    quarantine.write(run / "quarantine" / "000000.jsonl.zst", entries)
    return run


def test_the_rules_that_took_most_come_first(tmp_path):
    rows = [("dropped", name) for name in ("odd_words", "few_words", "few_words")]
    with pytest.raises(AssayError) as caught:
        check_kept(build(tmp_path, *rows))
    assert str(caught.value) == (
        "no document is kept of 3 records: 2 dropped by rules.few_words, 1 dropped by "
        "rules.odd_words; loosen the bounds of rules, or name another --recipe (minimal drops "
        "nothing)"
    )


def test_where_most_could_not_be_read_the_reason_is_said(tmp_path):
    rows = [("dropped", "few_words"), *[("quarantined", "missing_field")] * 2]
    with pytest.raises(AssayError) as caught:
        check_kept(build(tmp_path, *rows, entries=[UNREADABLE] * 2))
    assert str(caught.value) == (
        "no document is kept of 3 records: 2 could not be read: missing_field, 1 dropped by "
        "rules.few_words; missing_field (2): no field 'text'; there is body; assay quarantine "
        "shows the records"
    )


def test_where_all_is_in_earlier_runs_there_is_nothing_wrong(tmp_path):
    check_kept(build(tmp_path, ("duplicate", None), ("dropped", "few_words")))


def test_one_kept_document_is_enough(tmp_path):
    check_kept(build(tmp_path, ("kept", None), ("dropped", "few_words")))
