"""Rules by name and family, in the ledger's order, and those of installed packages."""

import sys

import numpy as np
import pytest

from pipelines.rules import registry
from pipelines.rules.bounds import Bounds
from pipelines.rules.registry import FAMILIES, OWN, RULES, describe_rule, find_failures
from pipelines.rules.rule import Rule
from pipelines.settings import RuleSettings
from tests.pipelines.rules.batches import make_batch
from weighting.errors import AssayError
from weighting.knobs import list_knobs


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Install a package with one rule, under the entry point given."""

    def install(name, rule):
        (tmp_path / "outside_rules.py").write_text(
            f"import numpy as np\nfrom pipelines.rules.rule import Rule\nRULE = {rule}\n"
        )
        info = tmp_path / "outside-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: outside\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[assay.rules]\n{name} = outside_rules:RULE\n")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "outside_rules", raising=False)

    return install


def test_rules_stand_by_family_and_contamination_is_last():
    assert len(RULES) == 51
    assert list(RULES)[:2] == ["url_blocked_domain", "url_blocked_host"]
    assert list(RULES)[-1] == "contamination"
    assert [*(rule for family in OWN.values() for rule in family.rules)] == list(RULES)[:-1]
    assert FAMILIES.keys() == OWN.keys()


def test_every_record_is_whole():
    for name, rule in RULES.items():
        assert rule.meaning[-1] not in ".\n", name
        assert rule.source, name
        assert rule.needs == "" or rule.needs in list_knobs(RuleSettings), name
        assert describe_rule(name) == rule.meaning
    assert describe_rule("of another package") == ""


def test_a_rule_of_a_package_is_a_family_of_its_own(package):
    package(
        "dashes",
        "Rule('dashes', annotate=lambda batch: [t.as_py().count('-') for t in batch.texts_D])",
    )
    families = registry._collect()
    assert list(families) == [*OWN, "dashes"]
    values = families["dashes"].annotate(make_batch(["a-b-c", ""]))
    np.testing.assert_array_equal(values["dashes"], [2.0, 0.0])
    assert values["dashes"].dtype == np.float64


@pytest.mark.parametrize(
    ("name", "rule", "message"),
    [
        ("length_chars", "Rule('x', annotate=len)", "'length_chars' to assay.rules: the name is"),
        ("length", "Rule('x', annotate=len)", "the rule 'length': the name is taken"),
        ("verdict", "Rule('x', annotate=len)", "the rule 'verdict': the name is taken"),
        ("text", "Rule('x', annotate=len)", "the rule 'text': the name is taken"),
        ("a.b", "Rule('x', annotate=len)", "the rule 'a.b': the name is taken, or is no word"),
        ("mine", "Rule('x')", "the rule 'mine', which has no annotate"),
        ("mine", "Rule('x' + chr(10) + 'y')", "must be one line"),
        ("mine", "3", "outside_rules:RULE is no Rule"),
    ],
)
def test_what_cannot_be_a_column_is_refused(package, name, rule, message):
    package(name, rule)
    with pytest.raises(AssayError) as caught:
        registry._collect()
    assert message in str(caught.value)


def test_values_of_another_shape_are_refused(package):
    package("mine", "Rule('x', annotate=lambda batch: np.zeros(3))")
    annotate = registry._collect()["mine"].annotate
    with pytest.raises(AssayError, match=r"rule mine: .* shape \(3,\), must be \(2,\)"):
        annotate(make_batch(["a", "b"]))


def test_failures_are_named_in_rule_order():
    values = {"one": np.array([1.0, 5.0, np.nan]), "two": np.array([9.0, 9.0, 0.0])}
    bounds = {"two": Bounds(1, 8), "one": Bounds(2, None)}
    assert find_failures(values, bounds) == [["one", "two"], ["two"], ["two"]]
    assert find_failures(values, {}) == [[], [], []]


def test_bounds_of_a_language_count_for_its_documents_instead():
    values = {"one": np.array([1.0, 1.0, 1.0]), "two": np.array([9.0, 9.0, np.nan])}
    bounds, judged_as = {"two": Bounds(1, 8), "one": Bounds(2, None)}, ["en", "th", "th"]
    own = {"th": {"one": Bounds(0, None), "two": Bounds(10, None)}, "lo": {"one": Bounds(9, None)}}
    assert find_failures(values, bounds, own, judged_as) == [["one", "two"], ["two"], []]
    # A rule that only a language has bounds of, and one that is not computed.
    own = {"th": {"two": Bounds(), "three": Bounds(1, 2)}}
    assert find_failures(values, {"two": Bounds(1, 8)}, own, judged_as) == [["two"], [], []]
    assert find_failures(values, {}, {"en": {"one": Bounds(2, None)}}, judged_as) == [
        ["one"],
        [],
        [],
    ]


def test_a_rule_stands_for_itself():
    assert Rule("x").bounds == Bounds()
    with pytest.raises(AssayError, match="must be one line"):
        Rule("")
