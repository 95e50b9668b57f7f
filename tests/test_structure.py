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
    "flows/query": "the command, and the work that it starts",
    "flows/replay": "the command, and the work that it starts",
    "trainer/ablate": "the command, and the work that it starts",
    "trainer/evaluate": "the command, and the work that it starts",
    "trainer/results": "the command, and the records that it prints",
    "trainer/train": "the command, and the work that it starts",
    "pipelines/job": "the Beam graph of a stage, one in each stage's folder",
    "pipelines/pii": "the edit that replaces personal data, and the rules that count it",
    "pipelines/registry": "the table of what can be added to",
    "weighting/registry": "the table of what can be added to",
}

# Modules without a test file of their name, and the test that covers them.
COVERED_ELSEWHERE: dict[str, str] = {
    "trainer/scoring/carrier.py": "tests/pipelines/score/test_model_texts.py",
    "trainer/scoring/measuring.py": "tests/trainer/scoring/test_pretrained.py",
    "trainer/scoring/used.py": "tests/trainer/scoring/test_scorer.py",
    "pipelines/languages/writing.py": "tests/pipelines/words/test_segments.py",
    "flows/__main__.py": "tests/flows/test_entry.py",
    "flows/commands/report.py": "tests/flows/report/test_page.py",
    "flows/commands/weigh.py": "tests/flows/run/test_reweigh.py",
    "flows/curate_and_compare.py": "tests/flows/test_flow.py",
    "flows/explain/arithmetic.py": "tests/flows/test_explain.py",
    "flows/explain/document_page.py": "tests/flows/test_explain.py",
    "flows/explain/lines.py": "tests/flows/test_explain.py",
    "flows/explain/token_page.py": "tests/flows/test_explain.py",
    "flows/interrupt.py": "tests/flows/test_survival.py",
    "flows/privacy.py": "tests/flows/test_flow.py",
    "flows/report/charts/axes.py": "tests/flows/report/charts/test_charts.py",
    "flows/report/charts/bars.py": "tests/flows/report/charts/test_charts.py",
    "flows/report/charts/density.py": "tests/flows/report/tokens/test_glass.py",
    "flows/report/charts/histograms.py": "tests/flows/report/charts/test_charts.py",
    "flows/report/charts/line_charts.py": "tests/flows/report/charts/test_charts.py",
    "flows/report/corpus/excerpts.py": "tests/flows/report/test_page.py",
    "flows/report/corpus/rules.py": "tests/flows/report/test_page.py",
    "flows/report/template.py": "tests/flows/report/test_page.py",
    "flows/report/tokens/disputes.py": "tests/flows/report/tokens/test_glass.py",
    "flows/report/tokens/heatmap.py": "tests/flows/report/test_page.py",
    "flows/report/tokens/scales.py": "tests/flows/report/tokens/test_glass.py",
    "flows/report/tokens/sidecars.py": "tests/flows/report/tokens/test_glass.py",
    "flows/report/tokens/token_sample.py": "tests/flows/report/tokens/test_told_words.py",
    "flows/report/tokens/token_texts.py": "tests/flows/report/test_page.py",
    "flows/report/weights/frequency.py": "tests/flows/report/tokens/test_glass.py",
    "flows/report/weights/signals.py": "tests/flows/report/tokens/test_glass.py",
    "flows/run/prepare.py": "tests/flows/commands/test_curate.py",
    "flows/run/presentation.py": "tests/flows/run/test_summary.py",
    "flows/run/stages.py": "tests/flows/commands/test_curate.py",
    "flows/database/stored_tables.py": "tests/flows/database/test_catalog.py",
    "flows/database/answer.py": "tests/flows/database/test_query.py",
    "flows/database/meanings.py": "tests/flows/database/test_shard_views.py",
    "flows/database/origin.py": "tests/flows/database/test_catalog.py",
    "flows/database/shard_stream.py": "tests/flows/database/test_shard_views.py",
    "flows/database/script.py": "tests/flows/database/test_catalog.py",
    "pipelines/engine/logs.py": "tests/pipelines/engine/test_runner.py",
    "pipelines/engine/worker.py": "tests/pipelines/engine/test_runner.py",
    "pipelines/readers/rows.py": "tests/pipelines/readers/formats/test_jsonl.py",
    "pipelines/readers/streams/compression.py": "tests/pipelines/readers/streams/test_frames.py",
    "pipelines/readers/streams/lines.py": "tests/pipelines/readers/formats/test_jsonl.py",
    "pipelines/readers/streams/members.py": "tests/pipelines/readers/streams/test_archives.py",
    "pipelines/readers/streams/whole_files.py": "tests/pipelines/readers/formats/test_text.py",
    "pipelines/rules/families/contamination.py": "tests/pipelines/contamination/test_scan.py",
    "pipelines/rules/rule.py": "tests/pipelines/rules/test_registry.py",
    "pipelines/score/model_scorer.py": "tests/pipelines/score/test_job.py",
    "pipelines/weigh/shard_sums.py": "tests/pipelines/weigh/test_write_shards.py",
    "pipelines/weigh/sum_weights.py": "tests/pipelines/weigh/test_write_shards.py",
    "pipelines/weigh/weigh_inputs.py": "tests/pipelines/weigh/test_write_shards.py",
    "pipelines/weigh/shard_summary.py": "tests/pipelines/weigh/test_write_shards.py",
    "trainer/__main__.py": "tests/trainer/test_cli.py",
    "trainer/commands/console.py": "tests/trainer/test_cli.py",
    "trainer/models/gpt.py": "tests/trainer/models/test_models.py",
    "trainer/models/language_model.py": "tests/trainer/models/test_models.py",
    "trainer/objectives/losses.py": "tests/trainer/test_objective_laws.py",
    "trainer/run/loop.py": "tests/trainer/run/test_train.py",
    "trainer/run/step.py": "tests/trainer/run/test_train.py",
    "weighting/contracts/splits.py": "tests/weighting/contracts/test_shards.py",
}

# Functions whose parameters are the options that a user sees.
MANY_PARAMETERS: dict[str, str] = {
    "flows/commands/curate.py:curate": "the options of a command",
    "flows/commands/query.py:query": "the options of a command",
    "flows/commands/weigh.py:weigh": "the options of a command",
    "flows/curate_and_compare.py:curate_and_compare": "the parameters of a deployment",
}


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
