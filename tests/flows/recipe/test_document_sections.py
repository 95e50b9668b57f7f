"""Tables that become settings of a job: no knob is lost, none is stated twice."""

import pytest

from flows.recipe.document_sections import (
    MEGABYTE,
    Dedupe,
    Passages,
    Split,
    check_decontaminate,
)
from pipelines.settings import (
    ContaminationSettings,
    DedupeSettings,
    EvaluationSet,
    NearSettings,
    PassageSettings,
    ScoreSettings,
)
from weighting.errors import AssayError
from weighting.knobs import list_knobs


@pytest.mark.parametrize(
    ("table", "kind"),
    [(Dedupe, NearSettings), (Dedupe, DedupeSettings), (Passages, PassageSettings)],
)
def test_every_knob_of_the_job_is_a_key_with_its_declaration(table, kind):
    keys = list_knobs(table)
    for name, (found, one) in list_knobs(kind).items():
        assert keys[name][1] == one
        assert keys[name][0].default == found.default


def test_the_defaults_are_those_of_the_job():
    assert Dedupe().settings(PassageSettings()) == DedupeSettings()
    assert Passages().settings() == PassageSettings()
    assert Passages(action="delete").settings() == PassageSettings(delete=True)
    assert Split().validation == ScoreSettings().validation_share


def test_megabytes_become_bytes():
    settings = Dedupe(memory_mb=1.5, near=False).settings(None)
    assert settings is not None
    assert settings.memory == 1.5 * MEGABYTE
    assert settings.near is None


def test_evaluation_items_that_cannot_be_found_or_told_apart_are_refused():
    check_decontaminate(ContaminationSettings())
    with pytest.raises(AssayError, match="cannot both weigh nothing"):
        check_decontaminate(ContaminationSettings(question=0, answer=0))
    with pytest.raises(AssayError, match="two sets are named 'a'"):
        check_decontaminate(ContaminationSettings(sets=(EvaluationSet("a", "p", "q"),) * 2))
