"""The four generic package names are ours: no other distribution stands in their place."""

import importlib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("name", ["flows", "pipelines", "trainer", "weighting"])
def test_the_package_that_imports_is_ours(name):
    module = importlib.import_module(name)
    owners = packages_distributions().get(name, [])
    assert Path(str(module.__file__)).parent == ROOT / name, (
        f"`import {name}` gives {module.__file__}, from distribution {owners}: uninstall it, "
        "the names cannot be shared"
    )


def test_nothing_but_the_four_packages_is_shipped():
    import tomllib

    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    include = settings["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {name.removesuffix(".*") for name in include} == {
        "flows", "pipelines", "trainer", "weighting",
    }  # fmt: skip


def test_every_package_init_holds_a_docstring_and_at_most_names():
    import ast

    for path in ROOT.glob("*/**/__init__.py"):
        if path.parts[len(ROOT.parts)] not in {"flows", "trainer", "weighting", "pipelines"}:
            continue
        tree = ast.parse(path.read_text())
        assert ast.get_docstring(tree), f"{path} has no docstring"
