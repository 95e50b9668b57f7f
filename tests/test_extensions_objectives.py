"""An objective of another installed package: no file of assay's is edited for it to be used.

The package is a module and the entry point that its installation leaves behind, in a folder on
PYTHONPATH; `trainer` runs as users start it.
"""

import os
import subprocess
import sys

import pytest

from tests.trainer.conftest import TOKENIZER, VOCAB, draw_documents, to_tokens, weigh_by_id
from weighting.contracts.shards import ShardInfo, write_shard
from weighting.storage.files import read_json

pytestmark = pytest.mark.slow

MODULE = '''
"""An objective from outside: the loss to a power, scaled to mean 1 over the batch."""

from dataclasses import dataclass

from trainer.objectives.registry import Objective
from weighting.knobs import knob


@dataclass(frozen=True)
class HardKnobs:
    hard_power: float = knob(1.0, "of the loss", least=0, most=4)


def hard(tokens):
    from trainer.objectives.tokens import scale

    power = tokens.settings.of(HardKnobs).hard_power
    return tokens.nll_BxT * scale(tokens.nll_BxT.detach() ** power, tokens)


HARD = Objective(
    "outside_objectives:hard", "targets of high loss weigh more", whole_batch=True, knobs=HardKnobs
)
'''
TINY = (
    *("--steps=4", "--warmup=1", "--batch=2", "--layers=1", "--width=16", "--heads=2"),
    *("--context=8", "--eval-every=2", "--log-every=2", "--threads=1", "--device=cpu"),
)
EXTENSION = {"kind": "objectives", "name": "hard", "package": "outside", "version": "1.2"}


def install(folder, module, version="1.2"):
    (folder / "outside_objectives.py").write_text(module)
    info = folder / f"outside-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: outside\nVersion: {version}\n")
    (info / "entry_points.txt").write_text("[assay.objectives]\nhard = outside_objectives:HARD\n")


@pytest.fixture
def site(tmp_path):
    """A folder that stands for where packages are installed."""
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


@pytest.fixture
def trainer(site):
    """Run `trainer` with the package installed; return its exit code, output and errors."""

    def run(*arguments):
        path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
        done = subprocess.run(
            [sys.executable, "-m", "trainer", *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def shards(tmp_path):
    folder = tmp_path / "shards"
    for split, seed, count in (("train", 0, 24), ("validation", 1, 6)):
        info = ShardInfo(TOKENIZER, VOCAB, 0, split, "test")
        tokens = to_tokens(split, draw_documents(seed, count), weigh_by_id)
        write_shard(folder / f"{split}-00000.arrow", info, [tokens])
    return folder


def test_it_trains_is_recorded_and_its_knobs_are_flags(site, trainer, shards, tmp_path):
    install(site, MODULE)
    out = tmp_path / "out"
    command = ("train", "--shards", shards, "--out", out, *TINY, "--objective", "hard")
    code, _, errors = trainer(*command, "--hard-power", "2")
    assert code == 0, errors
    result = read_json(out / "result.json")
    assert result["extensions"] == [EXTENSION]
    assert (result["config"]["objective"], result["config"]["hard_power"]) == ("hard", 2.0)
    [first, *_] = (out / "metrics.jsonl").read_text().splitlines()
    assert '"ess": 1.0' not in first  # weights differ from target to target

    assert "hard_power is 9.0, must be from 0 to 4" in trainer(*command, "--hard-power", "9")[2]
    assert "made with hard_power 2.0, now hard_power is 1.0" in trainer(*command)[2]
    assert "'hard' looks at a batch as a whole" in trainer(*command, "--micro", "1")[2]
    # Another version of the package might compute another thing.
    (site / "outside-1.2.dist-info" / "METADATA").write_text("Name: outside\nVersion: 1.3\n")
    assert "made with package outside 1.2" in trainer(*command, "--hard-power", "2")[2]


def test_it_is_an_arm_of_an_ablation(site, trainer, shards, tmp_path):
    install(site, MODULE)
    out = tmp_path / "out"
    arms = ("--arms", "plain", "--arm", "hard:objective=hard,hard_power=0.5")
    code, _, errors = trainer(
        "ablate", "--shards", shards, "--out", out, "--seeds", "0", *arms, *TINY
    )
    assert code == 0, errors
    results = read_json(out / "results.json")
    assert (results["baseline"], [arm["name"] for arm in results["arms"]]) == (
        "plain",
        ["plain", "hard"],
    )
    plain, hard = (read_json(out / arm / "seed-0" / "result.json") for arm in ("plain", "hard"))
    assert (plain["extensions"], hard["extensions"]) == ([], [EXTENSION])
    assert "hard_power" not in plain["config"]  # what is installed makes no difference to it


def test_help_lists_it_with_its_package(site, trainer):
    install(site, MODULE)
    code, output, _ = trainer("train", "--help")
    assert code == 0
    assert "hard       targets of high loss weigh more (outside 1.2)" in output
    assert "hard: of the loss (default 1.0)" in output


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("HARD = 1", "outside adds 'hard' to assay.objectives: outside_objectives:HARD is no"),
        ("import nowhere", "which cannot be imported: No module named 'nowhere'"),
        (
            MODULE.replace("knobs=HardKnobs", "reads=('minds',)"),
            "reads 'minds', must be of weights",
        ),
        (MODULE.replace("knobs=HardKnobs", "knobs=dict"), "must be a dataclass of knobs"),
        (MODULE.replace('"outside_objectives:hard"', '"hard"'), "'hard', must be MODULE:NAME"),
        (MODULE.replace("hard_power", "lr"), "objective hard: the name of its knob 'lr' is taken"),
    ],
)
def test_what_cannot_be_an_objective_is_told_in_one_line(site, trainer, module, message):
    install(site, module)
    code, _, errors = trainer("train", "--out", "x")
    assert code == 2
    assert errors.startswith("trainer: ")
    assert errors.count("\n") == 1
    assert message in errors


def test_a_function_that_is_not_there_is_told_before_anything_is_written(
    site, trainer, shards, tmp_path
):
    install(site, MODULE.replace("outside_objectives:hard", "outside_objectives:soft"))
    out = tmp_path / "out"
    code, _, errors = trainer(
        "train", "--shards", shards, "--out", out, *TINY, "--objective", "hard"
    )
    assert code == 2
    assert "objective outside_objectives:soft: cannot be imported" in errors
    assert not out.exists()
