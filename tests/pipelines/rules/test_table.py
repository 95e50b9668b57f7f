"""docs/rules.md says of every rule what its record says."""

from pathlib import Path

from pipelines.rules.bounds import Bounds
from pipelines.rules.registry import OWN
from pipelines.rules.rule import Rule
from pipelines.rules.table import fill_page, tabulate

PAGE = Path(__file__).parents[3] / "docs" / "rules.md"


def test_the_page_has_every_rule_as_its_record_says():
    page = PAGE.read_text(encoding="utf-8")
    assert fill_page(page) == page
    for family in OWN.values():
        for rule, record in family.rules.items():
            asks = f"; no value in a language without {record.asks}" if record.asks else ""
            assert f"| `{rule}` | {record.meaning}{asks} |" in page


def test_a_stale_table_is_written_anew():
    page = "<!-- rules: language -->\n\n| old |\n|---|\n| line |\n\nText.\n"
    filled = fill_page(page)
    assert "old" not in filled
    assert "| `language_score` |" in filled
    assert filled.endswith("|\n\nText.\n")
    assert fill_page(filled) == filled


def test_a_source_is_a_column_where_rules_have_several():
    one, other = Rule("a|b", Bounds(1, None), "x"), Rule("c", source="y")
    assert tabulate({"one": one}) == (
        "Source: x.\n\n| rule | value | published |\n| --- | --- | --- |\n| `one` | a\\|b | ≥ 1 |\n"
    )
    assert tabulate({"one": one, "other": other}).endswith("| `other` | c | - | y |\n")
