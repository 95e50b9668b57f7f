"""Tables that become settings of a job: no knob is lost, none is stated twice."""

import pytest

from flows.recipe.document_sections import (
    MEGABYTE,
    Dedupe,
    Passages,
    Split,
    TokenizerTable,
    check_decontaminate,
)
from flows.recipe.schema import parse_recipe
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
from weighting.vocabulary import CONFIG


@pytest.mark.parametrize(
    ("table", "kind"),
    [(Dedupe, NearSettings), (Dedupe, DedupeSettings), (Passages, PassageSettings)],
)
def test_every_knob_of_the_job_is_a_key_with_its_declaration(table, kind):
    keys = list_knobs(table)
    for name, (found, one) in list_knobs(kind).items():
        assert keys[name][1] == one
        assert keys[name][0].default == found.default


def test_a_tokenizer_is_a_file_or_the_folder_of_a_model(tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    (model / "tokenizer.json").touch()
    for path in ("model", "model/tokenizer.json"):
        recipe = parse_recipe({"name": "r", "tokenizer": {"path": path}}, tmp_path)
        assert recipe.tokenizer.path == str(model / "tokenizer.json")
    (model / CONFIG).touch()
    named = TokenizerTable(path=str(model / "tokenizer.json"))
    assert [*named.list_files()] == ["tokenizer.path", "tokenizer.config"]
    asked = TokenizerTable(path=str(model / "tokenizer.json"), end_of_text="</s>")
    assert [*asked.list_files()] == ["tokenizer.path"]  # the configuration decides nothing


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
