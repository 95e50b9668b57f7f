"""`assay weigh`: another weighing of a run is what `assay curate` with that recipe would write."""

import json
import os
import shutil

import pytest

from flows.database.shard_views import open_database
from flows.run import reweigh as reweighing
from pipelines.weigh import write_shards
from tests.flows.conftest import unreporting
from tests.flows.invoking import invoke
from weighting.contracts.manifest import read_manifest
from weighting.contracts.shards import open_shard
from weighting.errors import AssayError

pytestmark = [pytest.mark.usefixtures("same_code"), pytest.mark.slow]  # two whole runs

BUDGET = 4000  # of some 16,000 train tokens
OPTIONS = (
    *("--policy", "top_k", "--set", "signal=context_gain", "--set", "share=0.4"),
    *("--select", "entropy", "--tokens", BUDGET),
)
TABLES = f"""
[weights]
policy = "top_k"
signal = "context_gain"
share = 0.4
[selection]
by = "entropy"
tokens = {BUDGET}
"""


@pytest.fixture(scope="module")
def base(trained, same_code, tmp_path_factory):
    """A run that names the reference of another, weighed softly."""
    folder = tmp_path_factory.mktemp("base")
    recipe = trained.name_model(folder / "recipe.toml")
    with unreporting():
        invoke("curate", trained.corpus, "--out", folder / "run", "--recipe", recipe)
    return folder / "run"


@pytest.fixture(scope="module")
def fresh(trained, same_code, tmp_path_factory):
    """A run of the other weighing, and its recipe."""
    folder = tmp_path_factory.mktemp("fresh")
    recipe = trained.name_model(folder / "recipe.toml", TABLES)
    with unreporting():
        invoke("curate", trained.corpus, "--out", folder / "run", "--recipe", recipe)
    return folder / "run", recipe


@pytest.fixture(scope="module")
def weighed(base, tmp_path_factory):
    """The other weighing of the base."""
    out = tmp_path_factory.mktemp("weighed") / "run"
    invoke("weigh", base, *OPTIONS, "--out", out)
    return out


def list_outputs(run):
    """Every file of a run but those that tell time alone, by its path."""
    paths = {path.relative_to(run).as_posix(): path for path in run.rglob("*") if path.is_file()}
    own = ("assay.duckdb", "report.html", "log.jsonl")
    return {name: path for name, path in paths.items() if name not in own and "stages/" not in name}


def read_outputs(run):
    """The bytes of every such file, the manifest's without its timings."""
    found = {name: path.read_bytes() for name, path in list_outputs(run).items()}
    if "manifest.json" in found:
        fields = json.loads(found["manifest.json"])
        assert fields.pop("timings")["stages"]
        found["manifest.json"] = json.dumps(fields).encode()
    return found


def test_another_weighing_is_byte_for_byte_a_run_of_that_recipe(base, fresh, weighed):
    run, _ = fresh
    assert read_outputs(weighed) == read_outputs(run)
    assert {path.name for path in (weighed / "stages").iterdir()} == {
        path.name for path in (run / "stages").iterdir()
    }
    counts = read_manifest(weighed).counts
    assert counts.weights.selection is not None
    assert 0 < counts.weights.selection.kept_tokens <= BUDGET
    assert (
        read_outputs(base)["shards/validation-000000.arrow"]
        != (read_outputs(weighed)["shards/validation-000000.arrow"])
    )


def test_what_no_policy_changes_is_the_same_file(base, weighed):
    shared = list_outputs(base).keys() & list_outputs(weighed).keys()
    linked = {name for name in shared if (base / name).samefile(weighed / name)}
    assert not any((weighed / name).is_symlink() for name in linked)
    assert {name.split("/")[0] for name in shared - linked} == {
        "manifest.json", "run.json", "shards", "stats",
    }  # fmt: skip
    assert {name.split("/")[0] for name in linked} == {
        *("documents", "dropped", "ledger", "quarantine", "contamination", "index"),
        *("signals", "stats", "tokenizer.json", "tokenizer_config.json"),
    }


@pytest.mark.usefixtures("unreported")
def test_curate_with_that_recipe_finds_it_done(trained, fresh, weighed):
    before = {path: path.stat().st_mtime_ns for path in list_outputs(weighed).values()}
    output = invoke("curate", trained.corpus, "--out", weighed, "--recipe", fresh[1])
    assert output.count("skipped") == 6
    assert before == {path: path.stat().st_mtime_ns for path in list_outputs(weighed).values()}


def test_weighing_again_changes_nothing(weigh, weighed):
    before = {path: path.stat().st_mtime_ns for path in list_outputs(weighed).values()}
    weigh(weighed)
    assert before == {path: path.stat().st_mtime_ns for path in list_outputs(weighed).values()}


def test_it_is_checked_queried_and_explained_as_any_run(weighed):
    assert "every checksum right" in invoke("verify", weighed)
    sql = "select count(*) as n from token_weights where weight = 0"
    zeros = sum(split.zeros for split in read_manifest(weighed).counts.weights.splits.values())
    assert invoke("query", weighed, sql, "--format", "csv").split() == ["n", str(zeros)]
    selected = open_shard(min((weighed / "shards").glob("train-*"))).segments[0]
    name = selected.doc_ids[0].as_py()
    assert "top_k" in invoke("explain", weighed, name)
    with open_database(weighed) as connection:
        left = connection.execute(
            "select doc_id from ledger where split = 'train' and doc_id not in "
            "(select doc_id from shards)"
        ).fetchone()
    assert left is not None
    assert "left out by the selection" in invoke("explain", weighed, left[0])


@pytest.fixture
def weigh(base, unreported):
    """Weigh as `weighed` is, but for database and report."""

    def weigh(out):
        invoke("weigh", base, *OPTIONS, "--out", out)

    return weigh


def kill_at(call, function):
    """Make `function` end the weighing at a call of this number."""
    calls = []

    def killed(*args, **kwargs):
        calls.append(args)
        if len(calls) == call:
            raise AssayError("killed")
        return function(*args, **kwargs)

    return killed


def test_killed_at_any_step_it_goes_on(weigh, weighed, tmp_path):
    out = tmp_path / "run"
    steps = ((os, "link", 9), (write_shards, "write_shard", 3), (reweighing, "publish_manifest", 1))
    for owner, name, call in steps:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(owner, name, kill_at(call, getattr(owner, name)))
            with pytest.raises(AssayError, match="killed"):
                weigh(out)
        assert not (out / "manifest.json").exists()
    weigh(out)
    assert read_outputs(out) == read_outputs(weighed)


def test_without_links_files_are_copied_whole(base, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("no links here")

    monkeypatch.setattr("flows.run.reweigh.os.link", refuse)
    reweighing.share(base, tmp_path, ["tokenizer.json", "stats/types.parquet"])
    copies = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(path.name for path in copies) == ["tokenizer.json", "types.parquet"]
    for path in copies:
        source = base / path.relative_to(tmp_path)
        assert path.read_bytes() == source.read_bytes()
        assert not path.samefile(source)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--policy", "top_k", "--set", "signal=disagreement"],
            "policy top_k needs the signal disagreement, .*a second model",
        ),
        (["--set", "cpa=3"], r"weights\.cpa: unknown key, did you mean cap\? valid: policy, dials"),
        (["--set", "cap=high"], 'weights.cap: must be a number, is "high"'),
        (["--set", "cap"], "'cap': give KEY=VALUE"),
        (["--policy", "sotf"], "weights: unknown policy 'sotf'; valid: uniform"),
        (["--policy", "surprisal", "--set", "cap=2"], "policy surprisal does not read cap"),
        (["--select", "golden"], "selection: by and tokens go together"),
        (["--tokens", "100"], "selection: by and tokens go together"),
        (["--select", "gold", "--tokens", "100"], "by 'gold', did you mean golden"),
        (["--select", "disagreement", "--tokens", "9"], "by is 'disagreement'; valid in this run"),
    ],
)
def test_what_cannot_be_asked_for_is_told_and_nothing_is_written(base, tmp_path, options, message):
    with pytest.raises(AssayError, match=message) as caught:
        invoke("weigh", base, *options, "--out", tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_budget_below_any_document_is_told(base, tmp_path):
    with pytest.raises(AssayError, match="tokens is 5, too few for any document: the first to be"):
        invoke("weigh", base, "--select", "random", "--tokens", 5, "--out", tmp_path / "out")
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_a_run_that_kept_no_signals_is_refused(base, tmp_path):
    bare = tmp_path / "bare"
    hidden = shutil.ignore_patterns("signals")
    shutil.copytree(base, bare, copy_function=os.link, ignore=hidden)
    with pytest.raises(AssayError, match=r"bare: keeps no signals.*signals\.keep = true"):
        invoke("weigh", bare, "--out", tmp_path / "out")


def test_the_run_itself_is_never_written_over(base, tmp_path):
    before = read_outputs(base)
    (tmp_path / "link").symlink_to(base)
    for out in (base, base / ".." / base.name, tmp_path / "link"):
        with pytest.raises(AssayError, match="that is the run itself; name another --out"):
            invoke("weigh", base, "--out", out, "--overwrite")
    assert read_outputs(base) == before


def test_what_is_there_stays_unless_it_is_to_be_replaced(base, fresh, tmp_path):
    out, thesis = tmp_path / "out", tmp_path / "thesis"
    shutil.copytree(fresh[0], out, copy_function=os.link)
    before = read_outputs(out)
    with pytest.raises(AssayError, match=r"holds a run of other recipe; .*or give --overwrite"):
        invoke("weigh", base, "--out", out)
    assert read_outputs(out) == before
    thesis.mkdir()
    (thesis / "thesis.tex").write_text("precious")
    with pytest.raises(AssayError, match="exists and is no run of assay"):
        invoke("weigh", base, "--out", thesis, "--overwrite")
    assert [path.name for path in thesis.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    ("damage", "message"), [("manifest.json", "json: missing, though"), ("", "no run")]
)
def test_only_whole_runs_are_weighed(base, tmp_path, damage, message):
    copy = tmp_path / "copy"
    if damage:
        shutil.copytree(base, copy, copy_function=os.link)
        (copy / damage).unlink()
    with pytest.raises(AssayError, match=message):
        invoke("weigh", copy, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()
