"""The command's entry: what loads when, and what is told of a failure before a command runs."""

import json
import subprocess
import sys

import pytest

from flows.database.catalog import build_catalog
from tests.flows.runs import build_run

LISTING = """
import json, sys
from flows.entry import main
sys.argv = ["assay", *json.loads(sys.argv[1])]
try:
    main()
finally:
    sys.stderr.write(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
HEAVY = {"apache_beam", "datasets", "numba", "prefect", "spacy", "torch"}


def list_loaded(*arguments):
    """Run the command in a process of its own; return the top-level names of what it imported."""
    command = [sys.executable, "-c", LISTING, json.dumps([*map(str, arguments)])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout
    return set(json.loads(done.stderr))


def test_help_loads_nothing_that_it_has_no_use_for():
    loaded = list_loaded("--help")
    assert "typer" in loaded
    assert loaded.isdisjoint(HEAVY | {"duckdb", "jinja2", "pyarrow", "pydantic"})


@pytest.mark.parametrize("command", ["curate", "weigh", "recipe"])
def test_help_of_a_command_loads_none_of_its_work(command):
    loaded = list_loaded(command, "--help")  # typer itself parses with pydantic
    assert loaded.isdisjoint(HEAVY | {"duckdb", "jinja2", "pyarrow"})


def test_a_query_loads_the_database_and_no_more(tmp_path):
    run = build_run(tmp_path / "run")
    build_catalog(run)
    loaded = list_loaded("query", run, "SELECT count(*) FROM token_weights")
    assert {"duckdb", "pyarrow", "rich", "typer"} <= loaded
    assert loaded.isdisjoint(HEAVY | {"jinja2"})


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
sys.argv = ["assay", "--help"]
main()
"""


def test_what_the_registries_refuse_is_one_line():
    done = subprocess.run(
        [sys.executable, "-c", BROKEN], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "assay: mine adds 'x' to assay.policies: the name is taken\n"
