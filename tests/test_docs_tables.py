"""The tables of docs/weighting.md say what the records say."""

import runpy
from pathlib import Path

import pytest

from weighting.policies.registry import POLICIES
from weighting.signals.registry import SIGNALS

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def tables():
    return runpy.run_path(str(DOCS / "write_tables.py"))


def test_the_page_is_what_the_script_writes(tables):
    page = (DOCS / "weighting.md").read_text(encoding="utf-8")
    assert tables["renew"](page) == page, "run: python docs/write_tables.py"
    assert page.count("<!-- table: ") == len(tables["TABLES"])


def test_every_signal_and_policy_has_a_row(tables):
    for write, records in (("tabulate_signals", SIGNALS), ("tabulate_policies", POLICIES)):
        head, *rows = tables[write]()
        assert [row[0].strip("`") for row in rows] == list(records)
        assert {len(row) for row in rows} == {len(head)}
