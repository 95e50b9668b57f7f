"""The table of the reference: names of models of every kind, and what they are compared with."""

from pathlib import Path

import pytest

from flows.recipe.problems import RecipeError
from flows.recipe.schema import parse_recipe
from flows.recipe.sources import load_recipe
from flows.recipe.toml import write_toml
from tests.flows.recipe.test_schema import write
from weighting.signals.model_names import ModelKind
from weighting.signals.model_settings import ModelSettings

HUB = "allenai/OLMo-2-0425-1B"


@pytest.fixture
def folder(tmp_path):
    """A folder with a training run, a folder of transformers and a GGUF file."""
    for name in ("run/checkpoints/step-00000010/x", "other/config.json", "model.gguf"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def read(folder, text):
    return load_recipe(write(folder, f'name = "x"\n[reference]\n{text}\n'))


@pytest.mark.parametrize(
    ("name", "kind", "checkpoints"),
    [
        ("run", ModelKind.RUN, 6),
        ("other", ModelKind.FOLDER, 1),
        ("./model.gguf", ModelKind.GGUF, 1),
        (f"{HUB}@main", ModelKind.HUB, 1),
    ],
)
def test_a_model_is_of_any_kind_and_a_training_run_has_checkpoints(folder, name, kind, checkpoints):
    table = read(folder, f'model = "{name}"').reference
    assert table.find_kinds() == {kind}
    assert table.settings(Path()) == ModelSettings(
        name if kind is ModelKind.HUB else str(folder / name), checkpoints=checkpoints, short=32
    )


def test_weaker_models_stand_in_place_of_checkpoints(folder):
    names = f'["run", "{HUB}@stage1-step10", "model.gguf"]'
    table = read(folder, f'model = "other"\ncheckpoints = {names}\ncontext = 512').reference
    earlier = (str(folder / "run"), f"{HUB}@stage1-step10", str(folder / "model.gguf"))
    assert table.settings(Path()) == ModelSettings(
        str(folder / "other"), earlier=earlier, short=32, context=512
    )
    assert list(table.list_named())[1:] == [
        (f"checkpoints.{number}", name) for number, name in enumerate(earlier)
    ]
    assert table.find_kinds() == set(ModelKind)


def test_models_give_the_signals_that_a_policy_asks_for(folder):
    top_k = '[weights]\npolicy = "top_k"\n'  # by excess
    assert read(folder, f'model = "other"\ncheckpoints = ["run"]\n{top_k}')
    with pytest.raises(RecipeError, match="needs the signal excess"):
        read(folder, f'model = "other"\n{top_k}')


def test_what_is_shown_reads_back_and_opens_when_the_models_are_gone(folder, tmp_path):
    recipe = read(folder, 'model = "other"\ncheckpoints = ["model.gguf"]')
    (tmp_path / "elsewhere").mkdir()
    assert load_recipe(write(tmp_path / "elsewhere", write_toml(recipe))) == recipe
    (folder / "model.gguf").unlink()
    assert parse_recipe(recipe.model_dump(mode="json")) == recipe
    run = read(folder, 'model = "run"\ncheckpoints = 3')
    (folder / "run").rename(folder / "gone")
    assert parse_recipe(run.model_dump(mode="json")) == run


def test_without_a_model_a_number_is_that_of_a_training(folder):
    assert read(folder, "").reference.settings(Path()) is None
    table = read(folder, "[reference.train]\nsteps = 600\ncontext = 256").reference
    assert table.settings(Path("there")) == ModelSettings("there/model", checkpoints=6, short=32)
    assert table.find_kinds() == {ModelKind.RUN}
    compared = read(folder, 'checkpoints = ["other"]\n[reference.train]\ncontext = 256').reference
    assert compared.config().save_every == compared.config().steps
    assert compared.find_kinds() == {ModelKind.RUN, ModelKind.FOLDER}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('model = "gone"', "reference.model: /.*/gone: no model is there: no training run"),
        ('model = "owner/gone"', "reference.model: owner/gone: .* its revision: owner/gone@main"),
        ('model = "s3://bucket/a"', "reference.model: s3://bucket/a: must be a local file"),
        ('model = "run"\nsecond = "gone"', "reference.second: /.*/gone: no model is there"),
        (
            'model = "other"\ncheckpoints = 6',
            'reference.checkpoints: is 6, and /.*/other is no training .* \\["owner/name@revision',
        ),
        (
            'model = "other"\ncheckpoints = ["run", "gone"]',
            "reference.checkpoints: /.*/gone: no model is there",
        ),
        (
            'model = "other"\ncheckpoints = ["run", "other"]',
            "reference.checkpoints: /.*/other is the reference itself",
        ),
        ('checkpoints = ["run"]', "reference: checkpoints are compared with a reference: give mod"),
        ("checkpoints = 0", "checkpoints: must be greater than or equal to 1, is 0"),
        ("checkpoints = 33", "checkpoints: must be at most 32, is 33"),
        ("checkpoints = []", "checkpoints: must be a whole number, or an array of names of models"),
        ("checkpoints = true", "checkpoints: must be a whole number, or an array"),
        ('checkpoints = "run"', "checkpoints: must be a whole number, or an array"),
        ('checkpoints = ["run", 3]', "checkpoints: must be a whole number, or an array"),
        ("context = 1", "reference.context: must be greater than or equal to 2, is 1"),
    ],
)
def test_what_names_no_model_is_said_with_its_key(folder, text, message):
    with pytest.raises(RecipeError, match=message) as caught:
        read(folder, text)
    assert "\n" not in str(caught.value)
    assert len(caught.value.problems) == 1
