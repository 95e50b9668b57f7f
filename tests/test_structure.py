"""The house rules as tests: where modules lie, how large they are, and what covers them.

The lists below are exceptions, each with its reason; an exception that no longer applies fails too.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("weighting", "pipelines", "trainer", "flows")
MODULES_A_FOLDER = 15
LINES_A_FILE = 320
LINES_A_FUNCTION = 40
PARAMETERS = 7

# Names that stand in several folders of one package, on purpose.
SHARED_NAMES = {
    "pipelines/job": "the Beam graph of a stage, one in each stage's folder",
    "pipelines/registry": "the table of what can be added to, as in weighting and trainer",
    "weighting/registry": "the table of what can be added to, as in pipelines and trainer",
}

# Modules without a test file of their name, and the test that covers them.
COVERED_ELSEWHERE: dict[str, str] = {}

# Functions whose parameters are the options that a user sees.
MANY_PARAMETERS: dict[str, str] = {}


def list_modules() -> list[Path]:
    """Every module of the four packages but `__init__`."""
    paths = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return sorted(path.relative_to(ROOT) for path in paths if path.name != "__init__.py")


MODULES = list_modules()


def list_functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def count_parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    given = function.args
    names = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def test_there_is_something_to_look_at():
    assert len(MODULES) > 200


def test_a_folder_can_be_taken_in_at_a_glance():
    folders = defaultdict(list)
    for path in MODULES:
        folders[path.parent].append(path.stem)
    crowded = {str(folder): len(names) for folder, names in folders.items()}
    assert {f: n for f, n in crowded.items() if n > MODULES_A_FOLDER} == {}


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_file_is_short_and_says_what_it_is(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    assert text.count("\n") <= LINES_A_FILE
    assert ast.get_docstring(ast.parse(text))


def test_functions_are_short():
    long = {
        f"{path}:{function.name}": length
        for path in MODULES
        for function in list_functions(path)
        if (length := (function.end_lineno or 0) - function.lineno + 1) > LINES_A_FUNCTION
    }
    assert long == {}


def test_functions_take_few_parameters():
    wide = {
        f"{path}:{function.name}"
        for path in MODULES
        for function in list_functions(path)
        if count_parameters(function) > PARAMETERS
    }
    assert wide == MANY_PARAMETERS.keys()


def test_a_name_is_in_one_folder_of_a_package():
    places = defaultdict(list)
    for path in MODULES:
        places[f"{path.parts[0]}/{path.stem}"].append(str(path))
    shared = {name: paths for name, paths in places.items() if len(paths) > 1}
    assert shared.keys() == SHARED_NAMES.keys(), shared


def test_every_module_has_a_test_file_or_a_test_that_covers_it():
    tests = {path.stem.removeprefix("test_") for path in (ROOT / "tests").rglob("test_*.py")}
    bare = {str(path) for path in MODULES if path.stem not in tests}
    assert bare == COVERED_ELSEWHERE.keys()
    for covering in COVERED_ELSEWHERE.values():
        assert (ROOT / covering).is_file(), covering


def test_types_of_arrays_have_one_name_each_in_one_place():
    alias = re.compile(r"^(\w+)(?:: TypeAlias)? = npt\.NDArray", re.MULTILINE)
    found = {
        str(path): names
        for path in MODULES
        if (names := alias.findall((ROOT / path).read_text(encoding="utf-8")))
    }
    assert found.keys() == {"weighting/arrays.py"}
    (names,) = found.values()
    assert len(names) == len(set(names))


def test_type_aliases_are_defined_once():
    alias = re.compile(r"^([A-Z]\w*)(?:: TypeAlias)? = (?:[\w.]+\[|Callable)", re.MULTILINE)
    places = defaultdict(set)
    for path in MODULES:
        for name in alias.findall((ROOT / path).read_text(encoding="utf-8")):
            places[name].add(str(path))
    assert {name: paths for name, paths in places.items() if len(paths) > 1} == {}
