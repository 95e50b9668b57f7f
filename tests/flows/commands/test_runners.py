"""`assay curate` where its workers are: in other folders, and behind a job service."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest

from tests.flows.invoking import call, invoke
from tests.pipelines.engine.services import (
    ROOT,
    find_port,
    list_options,
    pooling,
    serving,
)
from weighting.contracts.manifest import read_manifest
from weighting.errors import AssayError

RECIPE = """
name = "small"
[split]
validation = 0.2
[tokenizer]
vocab_size = 300
[rule_options]
families = ["length"]
"""
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}  # in other folders, this code all the same


def list_beam(endpoint, pool=None):
    return [f"--beam={option}" for option in list_options(endpoint, pool)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--beam=--runer=PortableRunner"], "did you mean --runner"),
        (["--beam=--runner=PortableRunner", "--beam=--job_endpoit=x:1"], "mean --job_endpoint"),
        ([*list_beam("127.0.0.1:1"), "--workers", "2"], "--workers is for FnApiRunner"),
    ],
)
def test_options_are_refused_before_an_input_is_looked_at(tmp_path, options, said):
    with pytest.raises(AssayError, match=said):
        invoke("curate", tmp_path / "no such input", "--out", tmp_path / "run", *options)
    assert not (tmp_path / "run").exists()


def test_so_is_a_dead_endpoint(tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.engine.job_service.CONNECT_SECONDS", 0.5)
    options = list_beam(f"127.0.0.1:{find_port()}")
    with pytest.raises(AssayError, match="no job service answers there"):
        invoke("curate", tmp_path / "no such input", "--out", tmp_path / "run", *options)
    assert not (tmp_path / "run").exists()


def write_recipe(folder):
    path = folder / "recipe.toml"
    path.write_text(RECIPE)
    return ["--recipe", path]


@pytest.mark.slow
@pytest.mark.workers
@pytest.mark.timeout(900)  # on a busy machine
def test_workers_import_nothing_from_the_current_folder(make_corpus, tmp_path):
    """It holds a wrong `copy`, a folder `pipelines`, and a checkout of other code."""
    corpus, trap = make_corpus(tmp_path / "corpus", documents=20), tmp_path / "trap"
    for package in ("weighting", "trainer", "flows"):
        shutil.copytree(ROOT / package, trap / package)
    (trap / "pipelines").mkdir()
    (trap / "pipelines" / "__init__.py").write_text("raise SystemExit('a wrong pipelines')")
    (trap / "copy.py").write_text("raise SystemExit('a wrong copy')")
    recipe = write_recipe(tmp_path)
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom flows.entry import main; main()"
    command = [sys.executable, "-P", "-c", program, "curate", *corpus, *recipe, "--workers", "2"]
    subprocess.run([*map(str, command), "--out", "run"], cwd=trap, check=True)
    invoke("curate", *corpus, *recipe, "--out", tmp_path / "run")
    assert read_manifest(trap / "run").files == read_manifest(tmp_path / "run").files


@pytest.mark.slow
@pytest.mark.timeout(900)  # on a busy machine
def test_a_pool_elsewhere_gives_the_same_bytes(make_corpus, tmp_path):
    """The pool's current folder is another one; inputs and --out are relative."""
    make_corpus(tmp_path / "corpus", documents=20)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    files = ["corpus/a.jsonl", "corpus/b.jsonl", *write_recipe(tmp_path)]
    with serving(tmp_path) as (endpoint, _), pooling(elsewhere) as pool:
        done = call(
            "curate",
            *files,
            "--out",
            "far",
            *list_beam(endpoint, pool),
            cwd=tmp_path,
            env=ENVIRONMENT,
        )
    assert done.returncode == 0, done.stderr
    assert f"in {elsewhere}: same code" in done.stdout
    assert list(elsewhere.iterdir()) == []
    done = call("curate", *files, "--out", "near", "--workers", "1", cwd=tmp_path, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    assert read_manifest(tmp_path / "far").files == read_manifest(tmp_path / "near").files
    assert not list((tmp_path / "far").glob(".p*"))


def start(folder, corpus, options):
    """Start a run; return the process when its first unit is clean."""
    command = [sys.executable, "-m", "flows", "curate", *corpus, "--out", "run", *options]
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        [*map(str, command)],
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=pipe,
        text=True,
    )
    while not count_clean(folder):
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    return process


def count_clean(folder):
    return len(list(folder.glob("run/units/*/clean/*.done.json")))


@pytest.mark.slow
@pytest.mark.timeout(900)  # on a busy machine
@pytest.mark.parametrize("ending", ["interrupted", "service killed"])
def test_a_run_that_ends_early_leaves_no_work_behind(make_corpus, tmp_path, ending):
    """Beam's own job service goes on with a cancelled job; workers find no permit."""
    corpus = make_corpus(tmp_path / "corpus", documents=12_000)
    with ExitStack() as stack:
        endpoint, service = stack.enter_context(serving(tmp_path))
        pool = stack.enter_context(pooling(tmp_path))
        process = start(tmp_path, corpus, list_beam(endpoint, pool))
        if ending == "interrupted":
            process.send_signal(signal.SIGINT)
        else:
            service.kill()
        _, said = process.communicate(timeout=60)
        done = count_clean(tmp_path)
        time.sleep(8)
        assert count_clean(tmp_path) == done
    lines = said.splitlines()
    assert len(lines) == 1, said
    if ending == "interrupted":
        assert process.returncode == 128 + signal.SIGINT
    else:
        assert process.returncode == 1
        assert lines[0].startswith(f"assay: the job service at {endpoint} is gone (UNAVAILABLE")
    left = sorted(path.name for path in (tmp_path / "run").iterdir())
    assert left == ["log.jsonl", "run.json", "stages", "units"]
    assert json.loads((tmp_path / "run" / "run.json").read_bytes())["units"]
