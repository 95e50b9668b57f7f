"""`--version` of both commands: what runs here, looked up without loading it."""

import platform
import subprocess
import sys

import pytest

from weighting import versions

LISTING = """
import runpy, sys
sys.argv = [sys.argv[1], "--version"]
try:
    runpy.run_module(sys.argv[0], run_name="__main__")
finally:
    sys.stderr.write(" ".join(name for name in sys.modules if "." not in name))
"""


@pytest.mark.parametrize("package", ["flows", "trainer"])
def test_a_command_prints_them_and_loads_nothing_heavy(package):
    done = subprocess.run(
        [sys.executable, "-c", LISTING, package], capture_output=True, text=True, check=True
    )
    told = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
    assert told["Python"] == platform.python_version()
    assert {"assay", "apache-beam", "duckdb", "numpy", "pyarrow", "torch"} <= told.keys()
    loaded = set(done.stderr.split())
    assert loaded.isdisjoint({"apache_beam", "duckdb", "pyarrow", "torch", "prefect"})


def test_a_library_that_is_missing_is_told(monkeypatch):
    monkeypatch.setattr(versions, "LIBRARIES", ("no-such-library",))
    assert versions.describe_versions().endswith("\nno-such-library not installed\n")
