"""Processes of assay's own import nothing from the folder that they are started in."""

import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from weighting.processes.launch import ROOT, drop_current_folder, list_command


@pytest.fixture
def trap(tmp_path):
    """A folder that holds what a process would import from it by mistake."""
    for package in ("pipelines", "weighting", "trainer", "flows"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text(f"raise SystemExit('a wrong {package}')")
    for module in ("copy", "typing_extensions", "numpy"):
        (tmp_path / f"{module}.py").write_text(f"raise SystemExit('a wrong {module}')")
    return tmp_path


def run(command, folder, path):
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("path", ["", str(ROOT), f"{ROOT}:", f":{ROOT}", ":"])
def test_a_child_runs_this_code_wherever_it_is_started(trap, path):
    said = json.loads(run(list_command("tests.weighting.imported", "a b"), trap, path))
    assert said[0] == copy.__file__
    assert [Path(file).parents[1] for file in said[1:3]] == [ROOT, ROOT]
    assert said[3:] == [["a b"], "__main__"]


@pytest.mark.parametrize("package", ["flows", "trainer"])
def test_so_does_python_m_where_the_packages_are_found_elsewhere(trap, package):
    (trap / package / "__init__.py").unlink()
    (trap / package).rmdir()  # else it is the one that was asked for
    assert "Usage" in run([sys.executable, "-m", package, "--help"], trap, f"{ROOT}:").title()


def test_only_an_empty_entry_of_pythonpath_is_dropped(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    here = str(tmp_path)
    for named, left in [
        (":/x", ["/x", "/lib"]),
        ("/x:", ["/x", "/lib"]),
        ("", ["/lib"]),
        (f"{here}:/x:", [here, "/x", "/lib"]),
        (".", [here, "/lib"]),
    ]:
        path = [entry if entry not in ("", ".") else here for entry in named.split(":")]
        path.append("/lib")
        drop_current_folder(path, named)
        assert path == (left if named != f"{here}:/x:" else [here, "/x", here, "/lib"])
    path = ["/x", "/zip", here]  # what Python's own packages lie in stays
    drop_current_folder(path, "/x:")
    assert path == ["/x", "/zip", here]
