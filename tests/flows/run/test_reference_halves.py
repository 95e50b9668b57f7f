"""References on halves: trained by the run one after the other, or named; each scores the other."""

from contextlib import contextmanager

import pyarrow.parquet as pq
import pytest

from tests.flows.conftest import CHECKPOINTS, REFERENCE, STEPS
from tests.flows.invoking import invoke
from tests.flows.run.test_reference import read_bytes
from trainer.run.checkpoint import find_newest, read_record
from weighting.contracts.halves import is_of_half
from weighting.contracts.manifest import check_files, read_manifest
from weighting.contracts.splits import HALVES, A, B
from weighting.errors import AssayError

pytestmark = [pytest.mark.usefixtures("same_code"), pytest.mark.slow]

TABLES = REFERENCE.replace("share = 0.5", "share = 1.0\nhalves = true")


class Killed(Exception):
    """What ends a run here."""


def locate(run, half):
    return run / "reference" / f"half-{half}"


@pytest.fixture(scope="module")
def recipe(trained, tmp_path_factory):
    """A recipe of the same documents, whose run trains a reference on each half of them."""
    return trained.write_recipe(tmp_path_factory.mktemp("recipe") / "halves.toml", TABLES)


@pytest.fixture(scope="module")
def halved(trained, recipe, tmp_path_factory):
    """The run, killed while it trained the second reference, and what it said when it went on."""
    run = tmp_path_factory.mktemp("halved") / "run"
    curate = ("curate", trained.corpus, "--out", run, "--recipe", recipe)
    seen = []

    @contextmanager
    def dying(label, last):
        def report(step, _):
            seen.append((label, step))
            if step >= last and label == "half b":
                raise Killed

        yield report

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.run.presentation.present", lambda run, console: None)
        patch.setattr("trainer.display.progress.counting_steps", lambda label: dying(label, 3))
        with pytest.raises(Killed):
            invoke(*curate)
        before = list(seen)
        seen.clear()
        patch.setattr("trainer.display.progress.counting_steps", lambda label: dying(label, 99))
        invoke(*curate)
    return run, before, list(seen)


def test_killed_between_two_trainings_each_goes_on_where_it_was(halved):
    _, before, after = halved
    assert {label for label, _ in before} == {"half a", "half b"}
    assert ("half a", STEPS) in before
    assert {label for label, _ in after} == {"half b"}
    assert min(step for _, step in after) > 2


@pytest.mark.usefixtures("unreported")
def test_it_is_the_run_that_was_not_killed(trained, recipe, halved, tmp_path):
    invoke("curate", trained.corpus, "--out", tmp_path / "run", "--recipe", recipe)
    for half in HALVES:
        newest = [find_newest(locate(run, half)) for run in (halved[0], tmp_path / "run")]
        one, two = ((path / "model.safetensors").read_bytes() for path in newest)
        assert one == two
    same = ("shards", "signals", "stats", "documents")
    assert read_bytes(halved[0], *same) == read_bytes(tmp_path / "run", *same)


def test_the_manifest_tells_both_models_and_what_each_was_trained_on(halved):
    run = halved[0]
    manifest = read_manifest(run)
    check_files(run, manifest.files)
    story = manifest.counts.signals.reference
    assert story is not None
    for half, told in zip(HALVES, (story, story["other"]), strict=True):
        assert (told["model"], told["half"]) == (f"reference/half-{half}", half)
        assert len(told["checkpoints"]) == CHECKPOINTS
        assert read_record(find_newest(locate(run, half))).config["half"] == half
    chosen = pq.read_table(run / "reference/documents.parquet").to_pylist()
    for half, told in story["trained_on"]["halves"].items():
        of_half_D = is_of_half([row["doc_id"] for row in chosen], half)
        rows = [row for row, found in zip(chosen, of_half_D, strict=True) if found]
        assert told == {"documents": len(rows), "tokens": sum(row["tokens"] for row in rows)}
        record = read_record(find_newest(locate(run, half)))
        assert record.data.train_tokens == told["tokens"] + len(rows)  # and their ends


def name_models(trained, halved, path, model, other):
    """Write a recipe that names the models and the tokenizer of the run."""
    run = halved[0]
    table = f'[reference]\nmodel = "{locate(run, model)}"\nother = "{locate(run, other)}"\n'
    trained.write_recipe(path, f"{table}checkpoints = {CHECKPOINTS}\nshort = 4\n")
    own = f'path = "{run}/tokenizer.json"'
    path.write_text(path.read_text(encoding="utf-8").replace("vocab_size = 300", own))
    return path


@pytest.mark.usefixtures("unreported")
def test_named_models_of_both_halves_score_as_those_that_the_run_trained(trained, halved, tmp_path):
    named = name_models(trained, halved, tmp_path / "named.toml", A, B)
    run = tmp_path / "run"
    invoke("curate", trained.corpus, "--out", run, "--recipe", named)
    assert read_bytes(run, "signals") == read_bytes(halved[0], "signals")
    story = read_manifest(run).counts.signals.reference
    assert story is not None
    assert [story["half"], story["other"]["half"], story["trained_on"]] == [A, B, None]


def test_models_that_change_places_are_refused_before_any_work(trained, halved, tmp_path):
    named = name_models(trained, halved, tmp_path / "named.toml", B, A)
    with pytest.raises(AssayError, match="half-b: trained on half b of its documents"):
        invoke("curate", trained.corpus, "--out", tmp_path / "run", "--recipe", named)
    assert not (tmp_path / "run").exists()
