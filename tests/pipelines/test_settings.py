"""Settings declare each knob once, and refuse values that no recipe may have."""

import pytest

from pipelines.readers.records import ReadOptions
from pipelines.settings import (
    ContaminationSettings,
    DedupeSettings,
    EditSettings,
    EvaluationSet,
    NearSettings,
    PassageSettings,
    RuleSettings,
    ScoreSettings,
)
from weighting.errors import AssayError
from weighting.knobs import check_knobs, list_knobs

KINDS = (
    *(ReadOptions, EditSettings, RuleSettings, NearSettings, PassageSettings),
    *(DedupeSettings, EvaluationSet, ContaminationSettings, ScoreSettings),
)


@pytest.mark.parametrize("kind", KINDS)
def test_every_knob_has_help_of_one_line(kind):
    knobs = list_knobs(kind)
    assert knobs
    for _, one in knobs.values():
        assert one.help.endswith(".") or one.help.endswith("out.")
        assert "\n" not in one.help


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: check_knobs(NearSettings(jaccard=0)), "jaccard is 0"),
        (lambda: check_knobs(NearSettings(bands=256)), "bands is 256, must be from 1 to 255"),
        (lambda: check_knobs(NearSettings(seed=2**32)), "seed is 4294967296"),
        (lambda: check_knobs(PassageSettings(words=1)), "words is 1"),
        (lambda: EvaluationSet("a", "p", "q", label="l"), "give answer as well"),
    ],
)
def test_values_that_no_recipe_may_have_are_refused(make, message):
    with pytest.raises(AssayError) as caught:
        make()
    assert message in str(caught.value)


@pytest.mark.parametrize("kind", [EditSettings, NearSettings, PassageSettings, ReadOptions])
def test_settings_are_values(kind):
    assert kind() == kind()
    assert hash(kind()) == hash(kind())
