"""Replay: after a fix, a run is what a fresh run would be; whatever happens, nothing is lost."""

import gzip
import json
import shutil
from functools import partial

import pyarrow.parquet as pq
import pytest

from flows.database.catalog import open_catalog
from flows.run import replay as replays
from pipelines.curate.replay import restore_unit
from pipelines.readers import rows
from tests.conftest import write_corpus
from tests.flows.invoking import invoke
from weighting.contracts.counts import Replay
from weighting.contracts.manifest import check_files, read_manifest
from weighting.errors import AssayError
from weighting.storage.files import read_json

pytestmark = pytest.mark.slow  # whole runs

SAME = (
    *("documents", "dropped", "ledger", "quarantine", "contamination", "index"),
    *("shards", "signals", "stats"),
)
BROKEN = '{"text": "broken\n'


def curate(folder, run, recipe):
    return invoke("curate", folder, "--out", run, "--recipe", recipe)


def note_restored(monkeypatch):
    """A list that gets the units that a replay restores."""
    restored = []

    def restore(uid, *rest):
        restored.append(uid)
        return restore_unit(uid, *rest)

    monkeypatch.setattr(replays, "restore_unit", restore)
    return restored


def read_bytes(run):
    """The bytes of all that two equal runs share, by path."""
    files = (path for name in SAME for path in (run / name).glob("*"))
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in files}


def list_documents(run):
    tables = [pq.read_table(path) for path in sorted((run / "documents").glob("*"))]
    return {row["doc_id"]: row["text"] for table in tables for row in table.to_pylist()}


def snapshot(run):
    """Every file of a run but its log, hidden ones included, with its bytes."""
    files = (path for path in run.rglob("*") if path.is_file() and path.name != "log.jsonl")
    return {path: path.read_bytes() for path in files}


def break_line(path, number=3):
    """Break one line of a JSONL file; return what undoes it."""
    good = path.read_text()
    lines = good.splitlines(keepends=True)
    path.write_text("".join([*lines[:number], BROKEN, *lines[number + 1 :]]))
    return lambda: path.write_text(good)


@pytest.fixture(autouse=True, scope="module")
def same_code():
    """All runs here are of the same code, whatever is edited meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.identity.hash_code", lambda models: "code")
        yield


RECIPE = (
    'name = "small"\n[split]\nvalidation = 0.2\n[tokenizer]\nvocab_size = 300\n'
    "[rules]\ngopher_words = { min = 50 }\n"
)


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """A run of a corpus with one broken line, for all tests of the module."""
    folder = tmp_path_factory.mktemp("broken")
    (folder / "recipe.toml").write_text(RECIPE)
    break_line(write_corpus(folder / "corpus")[0])
    curate(folder / "corpus", folder / "run", folder / "recipe.toml")
    return folder


@pytest.fixture
def moved(broken, tmp_path):
    """A copy of that run and of its corpus, repaired: the test's own."""
    write_corpus(tmp_path / "corpus")
    shutil.copytree(broken / "run", tmp_path / "run")
    return tmp_path / "run", tmp_path / "corpus"


@pytest.fixture
def small_units(monkeypatch):
    """Cut so fine that a small corpus has several units, some of them without a bad record."""
    monkeypatch.setattr("flows.run.inputs.MIN_UNIT_BYTES", 12_000)


@pytest.fixture
def fresh(tmp_path, recipe):
    """Make a fresh run of a corpus with the tokenizer of another run."""

    def make(corpus, run):
        text = recipe.read_text().replace("vocab_size = 300", f'path = "{run}/tokenizer.json"')
        (tmp_path / "fresh.toml").write_text(text)
        curate(corpus, tmp_path / "fresh", tmp_path / "fresh.toml")
        return tmp_path / "fresh"

    return make


def test_a_repaired_line_ends_as_a_fresh_run(tmp_path, recipe, small_units, fresh, monkeypatch):
    corpus, run = tmp_path / "corpus", tmp_path / "run"
    first, _ = write_corpus(corpus, documents=70)
    repair = break_line(first)
    curate(corpus, run, recipe)
    before = read_manifest(run)
    assert before.counts.documents.records.quarantined == 1
    repair()
    restored = note_restored(monkeypatch)
    output = invoke("replay", run)
    assert "1 more records can be read" in output
    units = read_json(run / "run.json")["units"]
    assert 1 < len(restored) < len(units)
    assert read_bytes(run) == read_bytes(fresh(corpus, run))
    manifest = read_manifest(run)
    check_files(run, manifest.files)
    assert manifest.counts.documents.replays == [
        Replay(recovered=1, errors={"bad_json": (1, 0)}, fields={}, changed=["a.jsonl"])
    ]
    assert manifest.inputs[0] != before.inputs[0]
    assert manifest.inputs[1] == before.inputs[1]
    assert manifest.tokenizer == before.tokenizer
    with open_catalog(run) as connection:
        assert connection.execute("FROM quarantine_errors").fetchall() == []
    assert (run / "report.html").exists()
    assert not (run / ".replay").exists()
    # The run is now that of the repaired inputs: the same command finds nothing to do.
    assert curate(corpus, run, recipe).count("skipped") == 6


RIDDLE = (
    "A traveller who came over the frozen lake at night was asked by nine silent brothers why he"
    " had left his grey horse behind, and he said"
)
NOTICE = "All rights reserved by the people of this page, whatever they may be called."


def add_shared_parts(paths):
    """Put near copies, a line of many documents and an evaluation item into both files."""
    tables = [[json.loads(line) for line in path.read_text().splitlines()] for path in paths]
    for number, (own, others) in enumerate((tables, tables[::-1])):
        own[5 + number]["text"] += f" {RIDDLE} nothing"
        for row in own[7:9]:
            row["text"] += f"\n{NOTICE}"
        own += [{"id": 1000, "text": row["text"].replace("the", "a", 1)} for row in others[10:13]]
    for path, some in zip(paths, tables, strict=True):
        path.write_text("".join(json.dumps(row) + "\n" for row in some))


@pytest.mark.slow
@pytest.mark.parametrize("action", ["mark", "delete"])
def test_copies_passages_and_items_are_as_in_a_fresh_run(
    tmp_path, recipe, small_units, fresh, monkeypatch, action
):
    corpus, run = tmp_path / "corpus", tmp_path / "run"
    paths = write_corpus(corpus, documents=70)
    add_shared_parts(paths)
    item = {"riddle": RIDDLE, "answer": "nothing"}
    (tmp_path / "riddles.jsonl").write_text(json.dumps(item) + "\n")
    recipe.write_text(
        f'{RECIPE}[passages]\naction = "{action}"\n[[decontaminate.sets]]\nname = "riddles"\n'
        'path = "riddles.jsonl"\nquestion = "riddle"\nanswer = "answer"\n'
    )
    repair = break_line(paths[0], number=11)  # the record that two near copies are of
    curate(corpus, run, recipe)
    with open_catalog(run) as connection:
        before = dict(connection.execute("SELECT kind, records FROM duplicates").fetchall())
    repair()
    restored = note_restored(monkeypatch)
    assert "1 more records" in invoke("replay", run)
    assert bool(restored) == (action == "mark")  # what was deleted is not to be had again
    assert read_bytes(run) == read_bytes(fresh(corpus, run))
    with open_catalog(run) as connection:
        now = dict(connection.execute("SELECT kind, records FROM duplicates").fetchall())
        found = connection.execute("FROM contaminated_sets").fetchall()
        marked = connection.execute("SELECT count(*) FROM passages").fetchone()
    assert found == [("riddles", 1, 0, 1, 2, 2)]
    assert now["similar shingles"] == before["similar shingles"] + 1 == 6
    assert marked is not None
    assert bool(marked[0]) == (action == "mark")


@pytest.mark.slow
def test_a_repaired_archive_of_another_size(tmp_path, recipe, small_units, fresh):
    """The rest of a file was lost with its end; afterwards the units are cut otherwise."""
    corpus, run = tmp_path / "corpus", tmp_path / "run"
    first, _ = write_corpus(corpus, documents=70)
    packed = gzip.compress(first.read_bytes(), mtime=0)
    first.unlink()
    (corpus / "a.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    curate(corpus, run, recipe)
    counts = read_manifest(run).counts.documents.records
    assert counts.quarantined >= 1
    (corpus / "a.jsonl.gz").write_bytes(packed)
    invoke("replay", run)
    assert read_manifest(run).counts.documents.records.read == 78
    assert read_bytes(run) == read_bytes(fresh(corpus, run))


def test_a_right_field_name_recovers_and_keeps_what_was_read(tmp_path, recipe, fresh):
    """Both files lie in one unit; a record that has both fields stays as it was."""
    corpus, run, good = tmp_path / "corpus", tmp_path / "run", tmp_path / "good"
    write_corpus(good)
    shutil.copytree(good, corpus)
    text = (corpus / "b.jsonl").read_text()
    (corpus / "b.jsonl").write_text(text.replace('"text": ', '"body": '))
    text = (corpus / "a.jsonl").read_text()
    (corpus / "a.jsonl").write_text(text.replace('"id": ', '"body": "no", "id": '))
    recipe.write_text(recipe.read_text() + "[limits]\nmax_quarantined = 1\n")
    curate(corpus, run, recipe)
    before = list_documents(run)
    assert "34 more records" in invoke("replay", run, "--text-field", "body")
    after = list_documents(run)
    assert set(before.values()) <= set(after.values())  # of two copies another may survive
    assert sorted(after.values()) == sorted(list_documents(fresh(good, run)).values())
    replayed = read_manifest(run).counts.documents.replays
    assert replayed[0].fields == {"text_field": "body"}
    # A later repair of another file, without the option, loses nothing either.
    assert "nothing is quarantined" in invoke("replay", run)


def test_replays_add_up(tmp_path, recipe):
    corpus, run = tmp_path / "corpus", tmp_path / "run"
    first, second = write_corpus(corpus)
    repairs = [break_line(first), break_line(second)]
    curate(corpus, run, recipe)
    for repair in repairs:
        repair()
        invoke("replay", run)
    replayed = read_manifest(run).counts.documents.replays
    assert [one.changed for one in replayed] == [["a.jsonl"], ["b.jsonl"]]
    assert [one.errors for one in replayed] == [{"bad_json": (2, 1)}, {"bad_json": (1, 0)}]


def test_without_quarantine_nothing_is_touched(tmp_path, recipe):
    corpus, run = tmp_path / "corpus", tmp_path / "run"
    write_corpus(corpus)
    curate(corpus, run, recipe)
    before = snapshot(run)
    shutil.rmtree(corpus)
    assert "nothing is quarantined" in invoke("replay", run)
    assert snapshot(run) == before


def test_without_a_fix_nothing_is_touched(moved):
    run, _ = moved
    before = snapshot(run)
    assert "0 more records can be read; the run stays" in invoke("replay", run)
    assert snapshot(run) == before


def test_a_run_and_a_corpus_that_moved(moved, tmp_path):
    run, corpus = moved
    before = snapshot(run)
    with pytest.raises(AssayError, match="gone: no such file or folder"):
        invoke("replay", run, tmp_path / "gone")
    assert snapshot(run) == before
    assert "1 more records" in invoke("replay", run, corpus)


def test_other_code_reads_everything_again(moved, fresh, monkeypatch):
    run, corpus = moved
    monkeypatch.setattr("pipelines.identity.hash_code", lambda models: "newer")
    monkeypatch.setattr(replays, "restore_rows", None)  # must not be called
    invoke("replay", run, corpus)
    assert read_manifest(run).versions["code"] == "newer"
    assert read_bytes(run) == read_bytes(fresh(corpus, run))


def test_records_that_would_be_lost_stop_the_replay(tmp_path, recipe, monkeypatch):
    """With other code every unit is read again, and a file without quarantine has lost records."""
    corpus, run = tmp_path / "corpus", tmp_path / "run"
    repair = break_line(write_corpus(corpus)[0])
    recipe.write_text(recipe.read_text() + "[limits]\nmax_quarantined = 0.9\n")
    curate(corpus, run, recipe)
    repair()
    monkeypatch.setattr("pipelines.identity.hash_code", lambda models: "other")
    monkeypatch.setattr(rows, "complete", partial(_refuse_ice, rows.complete))
    before = snapshot(run)
    with pytest.raises(AssayError, match=r"records that could be read before .*b\.jsonl: byte"):
        invoke("replay", run)
    assert snapshot(run) == before


def _refuse_ice(complete, row, text, *others):
    if text.startswith("The ice") or "microwave" in text[:200]:
        raise rows.BadRecord("wrong_type", "ice")
    return complete(row, text, *others)


def test_fields_do_not_change_together_with_the_inputs(moved, monkeypatch):
    run, _ = moved
    monkeypatch.setattr("pipelines.identity.hash_code", lambda models: "other")
    with pytest.raises(AssayError, match="run assay replay without them first"):
        invoke("replay", run, "--text-field", "body")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--extractor", "resilparse"], "unknown extractor 'resilparse', did you mean resiliparse"),
        (["--workers", "1"], r"manifest\.json: missing, though every stage is finished"),
    ],
)
def test_bad_arguments_are_one_line(moved, arguments, message):
    run, _ = moved
    (run / "manifest.json").unlink()  # as of a run that gave up
    with pytest.raises(AssayError, match=message):
        invoke("replay", run, *arguments)
