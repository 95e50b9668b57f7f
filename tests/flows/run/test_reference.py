"""A reference model within a run: trained by it, named by it, kept by a replay of it."""

import shutil
from contextlib import contextmanager

import numpy as np
import pyarrow.parquet as pq
import pytest

from flows.run.reference import check_halves, check_splits
from pipelines.rules.registry import RULES
from pipelines.rules.rule import list_bounds
from tests.flows.conftest import CHECKPOINTS, STEPS
from tests.flows.invoking import check_recipe, invoke
from tests.flows.recipe.test_schema import write
from tests.flows.runs import write_tokenizer
from trainer.run.checkpoint import find_spread
from weighting.contracts.manifest import check_files, read_manifest
from weighting.errors import AssayError
from weighting.storage.files import sha256

pytestmark = [pytest.mark.usefixtures("same_code"), pytest.mark.slow]

MODEL = ["nll", "entropy", "excess", "change", "context_gain"]


def read_tables(run, folder):
    paths = sorted((run / folder).glob("*.parquet"))
    return [row for path in paths for row in pq.read_table(path).to_pylist()]


def read_bytes(run, *folders):
    paths = [path for folder in folders for path in (run / folder).rglob("*") if path.is_file()]
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in paths}


def read_weights(run):
    """The parameters of every checkpoint of a run's reference."""
    paths = (run / "reference" / "model" / "checkpoints").glob("*/model.safetensors")
    return {path.parent.name: path.read_bytes() for path in paths}


def test_a_run_trains_its_reference_and_the_manifest_says_how(trained):
    manifest = read_manifest(trained.run)
    check_files(trained.run, manifest.files)
    story = manifest.counts.signals.reference
    assert story is not None
    assert story["model"] == "reference/model"
    assert manifest.counts.signals.stored == ["ngram_gain", *MODEL]
    spread = find_spread(trained.model, CHECKPOINTS)
    assert story["checkpoints"] == [
        {"step": int(path.name[-8:]), "sha256": sha256(path / "model.safetensors")}
        for path in spread
    ]
    assert story["checkpoints"][-1]["step"] == STEPS
    chosen = pq.read_table(trained.run / "reference/documents.parquet").to_pylist()
    assert story["trained_on"] == {
        "share": 0.5,
        "documents": len(chosen),
        "tokens": sum(row["tokens"] for row in chosen),
        "most_failed": max(row["failed"] for row in chosen),
    }
    assert not (trained.run / "units").exists()


def count_failed(row):
    """How many published bounds of rules a ledger row fails."""
    bounds = list_bounds(RULES).items()
    return sum(bool(bound.fails(np.array([row[name]], float))[0]) for name, bound in bounds)


def test_it_is_trained_on_the_cleanest_documents_without_evaluation_items(trained):
    chosen = pq.read_table(trained.run / "reference/documents.parquet").to_pylist()
    ledger = [row for row in read_tables(trained.run, "ledger") if row["split"] == "train"]
    marked = {row["doc_id"] for row in read_tables(trained.run, "documents") if row["contaminated"]}
    failed = {row["doc_id"]: count_failed(row) for row in ledger}
    assert {row["doc_id"]: row["failed"] for row in chosen}.items() <= failed.items()
    names = {row["doc_id"] for row in chosen}
    assert marked & set(failed)
    assert not marked & names
    sizes = {row["doc_id"]: row["tokens"] for row in ledger if row["doc_id"] not in marked}
    kept, left = sum(sizes[name] for name in names), set(sizes) - names
    assert max(failed[name] for name in names) <= min(failed[name] for name in left)
    assert max(failed[name] for name in left) > 1
    assert kept <= 0.5 * sum(sizes.values()) < kept + max(sizes.values())


class Killed(Exception):
    """What ends a run here."""


@pytest.mark.usefixtures("unreported")
def test_killed_in_training_it_goes_on_to_the_same_run(trained, tmp_path, monkeypatch):
    run = tmp_path / "run"
    curate = ("curate", trained.corpus, "--out", run, "--recipe", trained.recipe)
    seen = []

    @contextmanager
    def dying(last):
        def report(step, _):
            seen.append(step)
            if step >= last:
                raise Killed

        yield report

    monkeypatch.setattr("trainer.display.progress.counting_steps", lambda _: dying(3))
    with pytest.raises(Killed):
        invoke(*curate)
    assert not (run / "manifest.json").exists()
    assert 0 < len(read_weights(run)) < CHECKPOINTS
    seen.clear()
    monkeypatch.setattr("trainer.display.progress.counting_steps", lambda _: dying(STEPS + 1))
    output = invoke(*curate)
    assert output.count("skipped") == 3
    assert min(seen) > 2
    assert read_weights(run) == read_weights(trained.run)
    same = ("shards", "signals", "stats", "documents")
    assert read_bytes(run, *same) == read_bytes(trained.run, *same)


def test_without_documents_to_train_on_or_to_watch_the_key_is_named(tmp_path):
    with pytest.raises(AssayError, match=r"no train document .* on; raise reference\.share"):
        check_splits(tmp_path)
    (tmp_path / "train-000000.arrow").touch()
    with pytest.raises(AssayError, match=r"no validation document .* raise split\.validation"):
        check_splits(tmp_path)
    there, none = {"documents": 1, "tokens": 9}, {"documents": 0, "tokens": 0}
    check_halves({"a": there, "b": there})
    with pytest.raises(AssayError, match=r"no document of half b .* raise reference\.share"):
        check_halves({"a": there, "b": none})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"path": None},
            "runs of reference read by a tokenizer of their own: name it as tokenizer.path",
        ),
        ({"path": "other.json"}, "of another tokenizer"),
        ({"checkpoints": 9}, f"9 checkpoints are wanted, and it kept {CHECKPOINTS}; ask for fewer"),
        ({"short": 9}, "short is 9: .* sees 32 tokens.*give at most 8"),
        ({"model": "empty"}, "empty: no checkpoint here"),
    ],
)
def test_a_reference_that_cannot_score_is_told_before_any_work(trained, tmp_path, change, message):
    write_tokenizer(tmp_path / "other.json")
    (tmp_path / "empty" / "checkpoints").mkdir(parents=True)
    values = {"path": trained.run / "tokenizer.json", "checkpoints": CHECKPOINTS, "short": 4}
    values |= {"model": trained.model} | change
    path = values.pop("path")
    table = "".join(f"{key} = {quote(value)}\n" for key, value in values.items())
    text = f"[reference]\n{table}" + (f"[tokenizer]\npath = {quote(path)}\n" if path else "")
    recipe = write(tmp_path, f'name = "x"\n{text}')
    with pytest.raises(AssayError, match=message) as caught:
        invoke("curate", trained.corpus, "--out", tmp_path / "run", "--recipe", recipe)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def quote(value):
    return value if isinstance(value, int) else f'"{value}"'


TRAIN = "[reference.train]\nsteps = 60\ncontext = 64\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f'[reference]\nmodel = "."\n{TRAIN}', "reference: give model or train, not both"),
        ('[reference]\nsecond = "."', "reference: second is compared with a reference: give model"),
        (
            "[reference]\nhalves = true",
            "reference: halves = true trains two references: give train",
        ),
        (f"[reference]\nhalves = true\nshort = 4\n{TRAIN}half = 'a'", "train.half: set by the run"),
        ('[reference]\nother = "."', "other scores what model was trained on: give model as well"),
        ('[reference]\nmodel = "gone"', "reference.model: /.*gone: no model is there: no training"),
        ("[reference]\ncheckpoints = 0", "checkpoints: must be greater than or equal to 1, is 0"),
        ("[reference]\nshare = 0", "reference.share: must be greater than 0, is 0"),
        (f"[reference]\nshort = 17\n{TRAIN}", "reference: short is 17, at most a quarter of train"),
        (f"[reference]\nshort = 4\n{TRAIN}save_every = 30", "save_every leaves fewer checkpoints"),
        (f"[reference]\nshort = 4\n{TRAIN}keep = 1", "reference: train.keep: set by the run"),
        (f'[reference]\nshort = 4\n{TRAIN}shards = "x"', "reference: train.shards: set by the run"),
        (f"[reference]\nshort = 4\n{TRAIN}stepps = 3", "reference: train: .*stepps"),
        (f'[reference]\nshort = 4\n{TRAIN}lr = "no"', "reference: train: .*lr"),
        ('[weights]\npolicy = "longce"', r"needs the signal context_gain, .*reference\.short"),
        ('[weights]\npolicy = "top_k"\nsignal = "exess"', "weights: unknown signal 'exess'; valid"),
        ("[weights]\ndials = { rarity = 1 }", "weights: unknown signal 'rarity'; valid: surprisal"),
        (
            "[weights]\nalpha = 0.5",
            "weights.alpha: policy soft does not read alpha; it reads dials",
        ),
        (
            '[weights]\ngolden = "nugget"',
            "unknown golden rule 'nugget'; valid: read, key, learnt, ngram",
        ),
        (
            '[weights]\ngolden = "key"',
            "golden rule key needs the signal context_gain, .* a reference with a",
        ),
        ('[weights]\npolicy = "shuffled"\nof = "shuffled"', "shuffled cannot be of 'shuffled'"),
        ('[selection]\nby = "golden"', "selection: by and tokens go together"),
        ("[selection]\ntokens = 10", "selection: by and tokens go together"),
        ('[selection]\nby = "gold"\ntokens = 10', "by 'gold', did you mean golden.* valid: golden"),
        ('[selection]\nby = "nll"\ntokens = 10', "selection.by is 'nll'; valid in this run"),
        ('[selection]\nby = "golden"\ntokens = 0', "selection.tokens: must be greater than or"),
    ],
)
def test_recipe_check_names_what_is_wrong_with_a_table(tmp_path, text, message):
    (tmp_path / "checkpoints").mkdir()
    path = write(tmp_path, f'name = "x"\n{text}\n')
    (line,) = check_recipe(path)
    with pytest.raises(AssayError, match=message):
        raise AssayError(line)


@pytest.mark.usefixtures("unreported")
def test_a_replay_keeps_reference_and_tokenizer(trained, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(trained.run, run)
    before, kept = read_manifest(run), read_bytes(run, "reference")
    tokenizer = (run / "tokenizer.json").read_bytes()
    assert "1 more records" in invoke("replay", run, trained.whole)
    assert read_bytes(run, "reference") == kept
    assert (run / "tokenizer.json").read_bytes() == tokenizer
    manifest = read_manifest(run)
    check_files(run, manifest.files)
    assert manifest.counts.signals.reference == before.counts.signals.reference
    assert manifest.counts.signals.stored == before.counts.signals.stored
    records = manifest.counts.documents.records
    assert records.kept == before.counts.documents.records.kept + 1
    assert len(read_tables(run, "signals")) == records.kept
    output = invoke("curate", trained.whole, "--out", run, "--recipe", trained.recipe)
    assert output.count("skipped") == 7
