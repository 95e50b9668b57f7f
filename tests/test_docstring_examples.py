"""The examples in docstrings say what the functions do."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("weighting", "pipelines", "trainer", "flows")
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if "    >>> " in path.read_text("utf-8")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name):
    module = importlib.import_module(name)
    kernels = {
        # doctest passes compiled functions over: it looks at what they were compiled from.
        key: value.py_func
        for key, value in vars(module).items()
        if hasattr(value, "py_func")
    }
    found = {test.name: test for test in doctest.DocTestFinder().find(module)}
    for key, function in kernels.items():
        if function.__module__ == name:
            for test in doctest.DocTestFinder().find(
                function, key, module=False, globs=vars(module)
            ):
                found[test.name] = test
    runner = doctest.DocTestRunner()
    assert found
    for test in found.values():
        result = runner.run(test)
        assert not result.failed, test.name
