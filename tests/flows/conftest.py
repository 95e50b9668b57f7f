"""Fixtures of the tests of whole runs with a reference model.

answering    Beam builds its pipelines in two thirds of the time
same_code    all runs are of the same code, whatever is edited meanwhile; units are small
unreported   commands build neither database nor report
trained      a run that trains its reference, and what it was made of
"""

import json
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from tests.beam import answering_once
from tests.conftest import write_corpus
from tests.flows.invoking import invoke

RIDDLE = (
    "A traveller who came over the frozen lake at night was asked by nine silent brothers why he"
    " had left his grey horse behind, and he said nothing."
)
DIRT = "### ... ### lorem ipsum ### ...\n" * 20  # fails bounds of several rules
STEPS, CHECKPOINTS = 6, 3
RECIPE = """
name = "small"
[split]
validation = 0.2
[signals]
keep = true
[tokenizer]
vocab_size = 300
[[decontaminate.sets]]
name = "riddles"
path = "riddles.jsonl"
question = "riddle"
"""
REFERENCE = f"""
[reference]
share = 0.5
checkpoints = {CHECKPOINTS}
short = 4
[reference.train]
steps = {STEPS}
batch = 4
lr = 0.02
layers = 2
width = 16
heads = 2
context = 32
log_every = 1
threads = 1
device = "cpu"
"""


class Trained(NamedTuple):
    """A run, its inputs, one line of which is broken, its recipe, and the corpus's whole state."""

    run: Path
    corpus: Path
    recipe: Path
    whole: Path

    @property
    def model(self) -> Path:
        """Return the folder of the reference."""
        return self.run / "reference" / "model"

    def write_recipe(self, path: Path, text: str) -> Path:
        """Write a recipe of the same documents; more tables follow in `text`."""
        riddles = self.recipe.parent / "riddles.jsonl"
        path.write_text(RECIPE.replace("riddles.jsonl", str(riddles)) + text, encoding="utf-8")
        return path

    def name_model(self, path: Path, text: str = "", checkpoints: int = CHECKPOINTS) -> Path:
        """Write a recipe that names this run's reference and tokenizer."""
        own = f'path = "{self.run}/tokenizer.json"'
        table = f'[reference]\nmodel = "{self.model}"\ncheckpoints = {checkpoints}\nshort = 4\n'
        self.write_recipe(path, table + text)
        path.write_text(path.read_text(encoding="utf-8").replace("vocab_size = 300", own))
        return path


@pytest.fixture(scope="session", autouse=True)
def answering():
    """See the module docstring."""
    with answering_once():
        yield


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Trained:
    """See the module docstring."""
    folder = tmp_path_factory.mktemp("trained")
    made = Trained(*(folder / name for name in ("run", "corpus", "recipe.toml", "whole")))
    (folder / "riddles.jsonl").write_text(json.dumps({"riddle": RIDDLE}) + "\n")
    made.recipe.write_text(RECIPE + REFERENCE, encoding="utf-8")
    write_documents(made.whole)
    lines = write_documents(made.corpus).read_text(encoding="utf-8").splitlines(keepends=True)
    (made.corpus / "a.jsonl").write_text("".join([*lines[:3], '{"text": "broken\n', *lines[4:]]))
    with pytest.MonkeyPatch.context() as patch, unreporting():
        patch_runs(patch)
        invoke("curate", made.corpus, "--out", made.run, "--recipe", made.recipe)
    torch.set_flush_denormal(False)  # training sets it; hypothesis needs subnormal numbers
    return made


@pytest.fixture(scope="module")
def same_code():
    """See the module docstring."""
    with pytest.MonkeyPatch.context() as patch:
        patch_runs(patch)
        yield
    torch.set_flush_denormal(False)


@pytest.fixture
def unreported():
    """See the module docstring."""
    with unreporting():
        yield


@contextmanager
def unreporting():
    """Build neither database nor report: they take a third of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.run.presentation.present", lambda run, console: None)
        yield


def patch_runs(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("pipelines.identity.hash_code", lambda models: "code")
    patch.setattr("flows.run.inputs.MIN_UNIT_BYTES", 12_000)
    patch.setattr("trainer.run.train.measure_matmul", lambda device, precision: 1e11)
    patch.setattr("trainer.run.loop.quiet_collector", nullcontext)


def write_documents(folder: Path) -> Path:
    """Write a corpus with dirty documents and a riddle in it; return its first file."""
    first, _ = write_corpus(folder)
    rows = [json.loads(line) for line in first.read_text(encoding="utf-8").splitlines()]
    for row in rows[5:25:3]:
        row["text"] += "\n" + DIRT
    for row in rows[6:25:3]:
        row["text"] += "\n" + RIDDLE
    first.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return first
