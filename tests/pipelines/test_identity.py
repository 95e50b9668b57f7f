"""A run's identity: what changes data changes it, and what only reads otherwise does not."""

import pytest

from pipelines import identity
from weighting.extensions import Extension
from weighting.signals.model_names import ModelKind

NONE: frozenset[ModelKind] = frozenset()
OWN = frozenset({ModelKind.RUN})

CODE = {
    "weighting/__init__.py": '"""The ground floor."""\n',
    "weighting/mass.py": (
        '"""Weights."""\n\n\ndef weigh(n: int) -> int:\n    """Weigh."""\n    return n * 2\n'
    ),
    "pipelines/job.py": "from trainer.scoring.scorer import Scorer\n\nSCORER = Scorer\n",
    "trainer/__init__.py": "",
    "trainer/scoring/__init__.py": "",
    "trainer/scoring/scorer.py": "from trainer.models import gpt\n\nclass Scorer(gpt.Model): ...\n",
    "trainer/models/__init__.py": "",
    "trainer/models/gpt.py": "class Model: ...\n",
    "trainer/run/train.py": "import trainer.run.loop\n",
    "trainer/run/loop.py": "STEPS = 1\n",
    "trainer/display/panel.py": "WIDTH = 80\n",
}


def write_code(root):
    for name, text in CODE.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def code(tmp_path):
    return write_code(tmp_path / "code")


def compute(root, models=OWN):
    return identity.hash_code.__wrapped__(models, root)


def replace(root, name, old, new):
    text = (root / name).read_text(encoding="utf-8")
    assert old in text
    (root / name).write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""Weights."""', '"""Weights of tokens,\n\nin other words."""'),
        ('    """Weigh."""\n', ""),
        ("n * 2", "n * 2  # a remark"),
        ("\n\n\ndef", "\n\n\n\n\n# Another remark.\ndef"),
        ("n * 2", "(\n        n\n        * 2\n    )"),
    ],
)
def test_comments_docstrings_and_layout_do_not_count(code, old, new):
    before = compute(code)
    replace(code, "weighting/mass.py", old, new)
    assert compute(code) == before


@pytest.mark.parametrize(("old", "new"), [("n * 2", "n * 3"), ("n * 2", "n + 2"), ("(n:", "(m:")])
def test_an_edited_expression_counts(code, old, new):
    before = compute(code)
    replace(code, "weighting/mass.py", old, new)
    assert compute(code) != before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("trainer/scoring/scorer.py", "...", "context = 1"),
        ("trainer/models/gpt.py", "...", "depth = 1"),  # by way of the scorer
        ("trainer/run/loop.py", "1", "2"),  # by way of the training
    ],
)
def test_what_trains_and_scores_counts_where_models_do(code, name, old, new):
    with_models, without = compute(code), compute(code, models=NONE)
    replace(code, name, old, new)
    assert compute(code) != with_models
    assert compute(code, models=NONE) == without


def test_what_makes_no_data_does_not_count(code):
    before = compute(code)
    replace(code, "trainer/display/panel.py", "80", "100")
    assert compute(code) == before


def test_a_new_or_renamed_module_counts(code):
    before = compute(code)
    (code / "pipelines" / "job.py").rename(code / "pipelines" / "jobs.py")
    renamed = compute(code)
    (code / "pipelines" / "more.py").write_text("")
    assert len({before, renamed, compute(code)}) == 3


def test_the_place_of_the_code_does_not_count(code, tmp_path):
    assert compute(write_code(tmp_path / "somewhere" / "else")) == compute(code)


def test_versions_of_extensions_and_libraries_count(code, monkeypatch):
    found = [compute(code)]
    for version in ("1.0", "1.1"):
        mine = Extension("signals", "mine", "my-package", version)
        monkeypatch.setattr(identity, "list_extensions", lambda mine=mine: (mine,))
        found.append(compute(code))
    monkeypatch.setattr(identity, "version", lambda name: "0")
    found.append(compute(code))
    assert len(set(found)) == 4


def test_the_modules_of_the_trainer_that_count_are_found():
    trees = identity._follow_imports(identity.ROOT, identity.MODELS)
    names = {path.relative_to(identity.ROOT / "trainer").as_posix() for path in trees}
    assert {
        *("scoring/scorer.py", "scoring/predictions.py", "scoring/reference.py"),
        *("models/gpt.py", "models/lstm.py", "models/mamba2.py", "data/corpus.py"),
        *(
            "run/train.py",
            "run/step.py",
            "run/optim.py",
            "objectives/registry.py",
            "objectives/functions.py",
        ),
    } <= names
    assert names.isdisjoint({"cli.py", "export.py", "compare/ablate.py", "display/tables.py"})


def test_the_manifest_names_code_and_libraries():
    versions = identity.list_versions(NONE)
    assert {"assay", "code", *identity.LIBRARIES} == versions.keys()
    assert versions["code"] == identity.hash_code(NONE)
    assert len(versions["code"]) == 16


@pytest.mark.parametrize(
    ("kind", "libraries"),
    [
        (ModelKind.RUN, {"torch"}),
        (ModelKind.FOLDER, {"torch", "safetensors", "transformers"}),
        (ModelKind.GGUF, {"torch", "safetensors", "transformers", "gguf"}),
        (ModelKind.HUB, {"torch", "safetensors", "transformers"}),
    ],
)
def test_libraries_that_load_a_kind_of_model_count_where_it_scores(kind, libraries):
    versions = identity.list_versions(frozenset({kind}))
    assert versions.keys() - identity.list_versions(NONE).keys() == libraries
    assert versions["code"] != identity.hash_code(NONE)
