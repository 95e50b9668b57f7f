"""The manifest's counts: measured in three ways, the same for JSON and for a reweighing."""

from dataclasses import fields, replace

from tests.weighting.contracts.test_manifest import COUNTS, FUNNEL
from weighting.contracts.counts import Counts, DocumentCounts, WeightCounts
from weighting.contracts.documents import Verdict
from weighting.contracts.statistics import RULE_STATS
from weighting.storage.json_records import from_json, to_json


def test_all_of_it_goes_through_json():
    assert from_json(Counts, to_json(COUNTS)) == COUNTS


def test_the_funnels_are_named_by_their_measures():
    documents = replace(COUNTS.documents, tokens=replace(FUNNEL, read=77))
    assert list(documents.funnels) == ["records", "chars", "tokens"]
    assert documents.funnels["tokens"].read == 77


def test_a_funnel_has_a_number_for_each_verdict():
    assert {field.name for field in fields(FUNNEL)} == {"read", *(v.value for v in Verdict)}


def test_a_rules_cost_has_the_columns_of_its_statistics():
    (cost,) = COUNTS.documents.rules.values()
    assert [field.name for field in fields(cost)] == RULE_STATS.names


def test_what_a_policy_decides_stands_apart():
    """A reweighing replaces `weights` and shares the rest."""
    shared = {field.name for field in fields(DocumentCounts)}
    assert not shared & {field.name for field in fields(WeightCounts)}
