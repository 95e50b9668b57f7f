"""Claims: a folder is one run's, its file says whose, and reads back as what was written."""

from dataclasses import replace

import pytest

from flows.recipe.sources import load_recipe
from flows.run.folder import Claim, claim_run, open_run
from flows.run.inputs import plan_units
from pipelines.readers.records import Slice
from pipelines.work.units import Unit
from weighting.contracts.claim import CLAIM
from weighting.contracts.inputs import InputEntry
from weighting.errors import AssayError
from weighting.storage.files import read_json, write_json

UNITS = [
    Unit(0, (Slice("/c/a.jsonl", "a.jsonl", "jsonl", 0, -1, 10),)),
    Unit(
        1,
        (
            Slice("/c/b.jsonl", "b.jsonl", "jsonl", 0, 7, 7),
            Slice("/c/b.jsonl", "b.jsonl", "jsonl", 7, -1, 5),
        ),
    ),
]


@pytest.fixture(scope="module")
def claim():
    recipe = load_recipe("minimal").model_dump(mode="json")
    inputs = [InputEntry("a.jsonl", 10, "ab"), InputEntry("b.jsonl", 12, "cd")]
    return Claim(inputs, recipe, "code", ["/c"], UNITS, ["/earlier"])


def test_a_claim_reads_back_as_it_was_written(claim, tmp_path):
    run = claim_run(tmp_path, claim)
    assert run.claim == claim
    assert run.recipe == load_recipe("minimal")
    assert run.claim.fingerprint == claim.fingerprint
    assert run.sizes() == {0: 10, 1: 12}
    assert run.curate_settings().against == ("/earlier",)
    assert read_json(tmp_path / CLAIM)["units"][1]["slices"][0]["name"] == "b.jsonl"


def test_the_same_run_is_opened_again_whatever_its_paths(claim, tmp_path):
    claim_run(tmp_path, claim)
    moved = replace(claim, paths=["/elsewhere"], units=[])
    assert claim_run(tmp_path, moved).claim == claim
    assert claim_run(tmp_path, moved, overwrite=True).claim == claim


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inputs": []}, "a run of other inputs;"),
        ({"recipe": {}}, "a run of other recipe;"),
        ({"code": "other"}, "a run of other code or versions of libraries;"),
        ({"recipe": {}, "code": "other"}, "a run of other recipe and code or versions"),
    ],
)
def test_another_run_is_refused_or_replaces_it(claim, tmp_path, changes, message):
    claim_run(tmp_path, claim)
    other = read_json(tmp_path / CLAIM) | changes
    write_json(tmp_path / CLAIM, other)
    (tmp_path / "documents").mkdir()
    with pytest.raises(AssayError, match=message):
        claim_run(tmp_path, claim)
    assert read_json(tmp_path / CLAIM) == other
    assert claim_run(tmp_path, claim, overwrite=True).claim == claim
    assert not (tmp_path / "documents").exists()


@pytest.mark.parametrize("damage", [{"units": 3}, {"extra": 1}, {"recipe": {"clean": 1}}])
def test_a_claim_of_another_version_is_told(claim, tmp_path, damage):
    claim_run(tmp_path, claim)
    write_json(tmp_path / CLAIM, read_json(tmp_path / CLAIM) | damage)
    with pytest.raises(AssayError, match=r"another version of assay.*curate with --overwrite"):
        open_run(tmp_path)
    assert claim_run(tmp_path, claim, overwrite=True).claim == claim


def test_a_folder_of_something_else_is_left_alone(claim, tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(AssayError, match="no run of assay"):
        claim_run(tmp_path, claim, overwrite=True)
    with pytest.raises(AssayError, match=rf"no run of assay is there \(no {CLAIM}\)"):
        open_run(tmp_path)


def test_inputs_in_the_own_folder_are_refused_and_its_run_is_left_out(claim, tmp_path):
    claim_run(tmp_path / "c" / "run", claim)
    (tmp_path / "c" / "run" / "documents").mkdir()
    for folder in ("c", "c/run/documents"):
        (tmp_path / folder / "a.txt").write_text("text")
    out = tmp_path / "c" / "run"
    planned = plan_units([str(tmp_path / "c")], None, out)
    assert [part.name for unit in planned.units for part in unit.slices] == ["a.txt"]
    with pytest.raises(AssayError, match=r"a\.txt: an input in the run's own folder"):
        plan_units([str(out / "documents")], None, out)
