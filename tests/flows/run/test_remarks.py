"""What did nothing is said: rules without anything to look at, and items too short to be found."""

from dataclasses import replace

import pytest

from flows.run.remarks import list_remarks
from pipelines.rules import own_rules
from tests.flows.runs import build_run
from tests.flows.stories import Story
from weighting.contracts.counts import Funnel, LanguageCounts, RuleCost, SetCounts
from weighting.contracts.manifest import read_manifest

NO_URL = own_rules.URL_SUBJECT


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return read_manifest(build_run(tmp_path_factory.mktemp("remarks") / "run", Story()))


def remark(manifest, *rules, sets=None, enforced=None, languages=None, options=None):
    """Return the remarks on a run of 100 readable records and rules of (name, values, failing)."""
    costs = {
        name: RuleCost(name, 0, 0, 0, 0, 0, failing, 0, values) for name, values, failing in rules
    }
    documents = replace(
        manifest.counts.documents,
        records=Funnel(read=110, kept=100, dropped=0, duplicate=0, quarantined=10),
        rules=costs,
        sets=sets or {},
        languages=languages or {},
    )
    recipe = {"rules": {name: {} for name in (costs if enforced is None else enforced)}}
    recipe["rule_options"] = options or {}
    return list_remarks(
        replace(manifest, recipe=recipe, counts=replace(manifest.counts, documents=documents))
    )


def test_rules_that_looked_at_nothing_are_named_together(manifest):
    rules = [("url_blocked_domain", 0, 0), ("url_blocked_host", 0, 0), ("gopher_words", 100, 3)]
    assert remark(manifest, *rules) == [
        f"url_blocked_domain, url_blocked_host looked at nothing; all lack {NO_URL}"
    ]


def test_a_rule_that_looked_at_few_documents_says_of_how_many(manifest):
    assert remark(manifest, ("url_hard_words", 12, 1)) == [
        f"url_hard_words looked at 12 of 100 documents; the others lack {NO_URL}"
    ]
    assert remark(manifest, ("url_hard_words", 60, 1)) == []
    # Of a text without lines a ratio has no value: that is no reason to speak.
    assert remark(manifest, ("gopher_dup_lines", 12, 1)) == []


def count(documents, unknown=0, **unvalued):
    return LanguageCounts(documents, kept=0, unknown=unknown, unvalued=unvalued)


PUBLISHED = {"language_bounds": "fineweb-2"}


def test_a_rule_that_means_nothing_in_a_language_says_in_which(manifest):
    languages = {
        "en": count(50, gopher_stop_words=7),  # whose list there is
        "ko": count(1200, gopher_stop_words=1200),
        "sh": count(3, gopher_stop_words=3),
        "th": count(5),
    }
    told = remark(manifest, ("gopher_stop_words", 90, 3), languages=languages, options=PUBLISHED)
    assert told == [
        "gopher_stop_words drops no document in a language without a list of stop words; "
        "1,203 have no value: ko 1,200, sh 3"
    ]
    assert remark(manifest, ("gopher_words", 90, 3), languages=languages, options=PUBLISHED) == []


def test_bounds_for_english_are_spoken_of_where_others_are_published(manifest):
    languages = {"en": count(50), "th": count(5), "zh": count(8), "sh": count(9)}
    rule = ("gopher_mean_word_length", 90, 3)
    assert remark(manifest, rule, languages=languages) == [
        "13 documents are judged by bounds for English: zh 8, th 5; "
        'rule_options.language_bounds = "fineweb-2" takes those published for each'
    ]
    assert remark(manifest, rule, languages=languages, options=PUBLISHED) == []
    assert remark(manifest, rule, languages={"en": count(50)}) == []
    assert remark(manifest, ("gopher_words", 90, 3), languages=languages) == []  # none published


def test_languages_that_are_not_known_are_counted(manifest):
    languages = {"en": count(5000, unknown=1200)}
    assert remark(manifest, languages=languages) == [
        "1,200 documents are in a language that is not known for sure: judged as English"
    ]
    assert remark(manifest, languages=languages, options={"compat": True}) == []


def test_many_languages_are_counted_and_not_listed(manifest):
    names = ["ar", "bg", "cs", "da", "el", "fi", "hu", "pl"]
    (told,) = remark(
        manifest, ("gopher_alphabetic", 9, 1), languages={name: count(2) for name in names}
    )
    assert ": ar 2, bg 2, cs 2, da 2, el 2, fi 2 and 2 more; " in told


def test_rules_that_no_document_fails_are_one_line(manifest):
    rules = [("gopher_words", 100, 0), ("gopher_hashes", 100, 0), ("gopher_ellipses", 100, 1)]
    assert remark(manifest, *rules) == ["rules that no document fails: gopher_words, gopher_hashes"]
    assert remark(manifest, *rules, enforced=["gopher_hashes"]) == [
        "rules that no document fails: gopher_hashes"
    ]


def test_a_set_of_which_no_item_can_be_found_is_named(manifest):
    assert remark(manifest, sets={"a": SetCounts(5, 5), "b": SetCounts(5, 4)}) == [
        "evaluation set a: none of its 5 items can be found; all are shorter than "
        "decontaminate.least_words asks for: 8 words, in Chinese and Japanese 8 characters, in "
        "Thai, Lao, Khmer and Burmese 24"
    ]


def test_a_rule_of_a_package_that_is_gone_is_no_error(manifest):
    assert remark(manifest, ("of_a_package", 0, 0)) == [
        "of_a_package looked at nothing; all lack anything that it measures"
    ]
