"""The funnel's lines: from read to kept, with what each rule, copy and error took."""

from dataclasses import replace

from flows.run.funnel import (
    MEASURES,
    STAGES,
    describe_languages,
    describe_left_out,
    describe_skipped,
    list_funnel,
)
from weighting.contracts.counts import DocumentCounts, Funnel, LanguageCounts, RuleCost

FUNNEL = Funnel(read=20, kept=9, dropped=6, duplicate=3, quarantined=2)
RULES = {
    name: RuleCost(name, documents, 10 * documents, 2 * documents, 0, 0, documents, 0, 99)
    for name, documents in (("few_words", 2), ("never", 0), ("long", 4))
}
COUNTS = DocumentCounts(
    records=FUNNEL,
    chars=replace(FUNNEL, read=200, kept=182),
    tokens=replace(FUNNEL, read=40, kept=29),
    skipped={},
    rules=RULES,
    sets={},
    encoders=[],
)
COPIES = {"exact": {"records": 2, "chars": 4, "tokens": 3}}


def test_totals_come_in_the_order_of_the_stages():
    lines = [line for line in list_funnel(COUNTS, COPIES, {"bad_json": 2}) if not line.detail]
    assert tuple(line.kind for line in lines) == STAGES
    assert [line.counts["records"] for line in lines] == [20, 6, 3, 2, 9]
    assert lines[0].counts == {"records": 20, "chars": 200, "tokens": 40}
    assert all(tuple(line.counts) == MEASURES for line in lines)


def test_details_follow_the_line_that_they_are_part_of():
    lines = list(list_funnel(COUNTS, COPIES, {"bad_json": 2}))
    details = [(line.kind, line.label) for line in lines if line.detail]
    assert details == [
        ("dropped", "long"),
        ("dropped", "few_words"),
        ("duplicate", "exact"),
        ("quarantined", "bad_json"),
    ]
    kinds = [line.kind for line in lines]
    assert kinds == sorted(kinds, key=STAGES.index)


def test_a_rule_that_dropped_nothing_has_no_line():
    labels = [line.label for line in list_funnel(COUNTS, {}, {})]
    assert "never" not in labels
    assert labels.index("long") < labels.index("few_words")


def test_what_is_not_known_of_an_error_is_missing():
    (line,) = [line for line in list_funnel(COUNTS, {}, {"bad_utf8": 2}) if line.detail][-1:]
    assert line.counts == {"records": 2}


def test_languages_are_told_where_there_are_several():
    english = LanguageCounts(documents=2000, kept=1000, unknown=0, unvalued={})
    assert describe_languages({"en": english}) == describe_languages({}) == ""
    others = {name: replace(english, documents=9, kept=0) for name in "abcdefgh"}
    assert describe_languages({"de": replace(english, documents=1, kept=1), "en": english}) == (
        "documents judged by their language: en 2,000 (kept 50%), de 1 (kept 100%)"
    )
    told = describe_languages({**others, "en": english})
    assert told.startswith("documents judged by their language: en 2,000 (kept 50%), a 9 (kept 0%)")
    assert told.endswith(", g 9 (kept 0%), 1 more")


def test_fields_left_out_are_told_commonest_first():
    assert describe_left_out({}) == ""
    told = describe_left_out({"bad_date": 3, "nan": 1200, "infinity": 3})
    assert told == "fields left out: 1,200 nan, 3 bad_date, 3 infinity"


def test_skipped_kinds_are_told_commonest_first():
    assert describe_skipped({}) == ""
    assert describe_skipped({"a": 1, "b": 1234}) == (
        "1,235 stored records are no documents: 1,234 b, 1 a"
    )
    many = {f"kind{number}": 10 - number for number in range(9)}
    assert describe_skipped(many).endswith("5 kind5, 9 of 3 other kinds")
