"""The embedded corpus: the documentation inside the running Python environment.

It needs no download and is the same in every process of one environment. Documents are
- one a module of the standard library and of each installed distribution: the module's docstring,
  then every documented class, function and method in source order, under its qualified name and
  signature. Source files are parsed, never imported;
- one a topic of `pydoc_data.topics`, the language reference behind `help()`;
- one a distribution: the long description of its metadata, mostly its README.
A module without triple quotes holds no prose and is not a document. Nor are test folders of the
standard library, and assay itself, for a corpus must not change with the code that reads it.
"""

import ast
import os
import re
import sysconfig
import warnings
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import Distribution, distributions
from pathlib import Path, PurePosixPath
from platform import python_version
from typing import NamedTuple

import xxhash

from pipelines.readers.json_values import to_json
from pipelines.readers.records import PAYLOAD_LIMIT, ReadOptions, Record, Reject, RejectKind, Slice
from weighting.errors import AssayError

SCHEME = "python-docs"
STDLIB = "stdlib"
EXCLUDED_FOLDERS = {"site-packages", "dist-packages", "test", "tests", "idle_test", "__pycache__"}
EXCLUDED_DISTRIBUTIONS = {"assay"}
TOPICS = "pydoc_data/topics.py"
TRIPLE_QUOTED = re.compile(rb'"""(.*?)"""|\'\'\'(.*?)\'\'\'', re.DOTALL)
LONGEST_DEFAULT = 40  # characters; a longer default is shown as ...
MEGABYTE = 10**6

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
# Definitions may hide under a condition, such as a check of the platform.
BLOCKS = (ast.If, ast.Try, ast.ExceptHandler, ast.With)
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Document(NamedTuple):
    """What one locator of a file holds; `kind` is module, topic or readme."""

    locator: str
    kind: str
    text: str


class SourceFile(NamedTuple):
    """A file of the environment; `inner` is its path in the distribution that owns it."""

    path: str
    distribution: str
    inner: str


def cut(spec: str, _name: str, _target_bytes: int) -> list[Slice]:
    """Return one slice a file for `python-docs`, or for the subset `python-docs:MB`.

    Raises:
        AssayError: the size is not a positive number.
    """
    _, _, limit = spec.partition(":")
    if not limit:
        return list_files(None)
    try:
        limit_mb = float(limit)
    except ValueError:
        limit_mb = 0.0
    if not 0 < limit_mb < float("inf"):
        raise AssayError(f"{spec}: the size must be a positive number of MB, as in {SCHEME}:50")
    return list_files(limit_mb)


def list_files(limit_mb: float | None) -> list[Slice]:
    """Return the files that hold prose, up to about `limit_mb` MB (10^6 bytes) of it.

    A limit takes files in order of a hash of their names: a sample of all distributions that is
    the same in every process.
    """
    files = {_name(file): file for file in (*_stdlib_files(), *_distribution_files())}
    slices: list[Slice] = []
    room = float("inf") if limit_mb is None else limit_mb * MEGABYTE
    for name in sorted(files, key=_shuffled):
        if room <= 0:
            break
        size = _prose_size(files[name])
        room -= size
        if size:
            slices.append(Slice(files[name].path, name, SCHEME, 0, -1, size))
    return sorted(slices, key=lambda slice_: slice_.name)


def read(slice_: Slice, _options: ReadOptions) -> Iterator[Record | Reject]:
    """Yield the documents of one file.

    Locators are a module's dotted name, `topic NAME` or `README`; the source is the distribution.
    Source that Python cannot parse is one reject `bad_source`.
    """
    _, distribution, inner = slice_.name.split("/", 2)
    for found in _documents(slice_.path, inner):
        if isinstance(found, Reject):
            yield found
        else:
            metadata = _metadata(distribution, found.kind)
            yield Record(found.locator, _encodable(found.text), distribution, metadata)


def render(source: bytes, module: str) -> str:
    """Return the documentation of a module's source, empty where it has none.

    Raises:
        SyntaxError, ValueError, RecursionError: Python cannot parse it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # from code that is not ours, such as invalid escapes
        tree = ast.parse(source)
    parts = [ast.get_docstring(tree) or ""]
    for name, definition in _definitions(tree, module):
        docstring = ast.get_docstring(definition)
        if docstring:
            parts.append(f"{_signature(name, definition)}\n{docstring}")
    return "\n\n".join(filter(None, parts))


def _stdlib_files() -> Iterator[SourceFile]:
    root = sysconfig.get_path("stdlib")
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [name for name in subfolders if name not in EXCLUDED_FOLDERS]
        for name in names:
            if name.endswith(".py"):
                path = Path(folder, name)
                yield SourceFile(str(path), STDLIB, path.relative_to(root).as_posix())


def _distribution_files() -> Iterator[SourceFile]:
    for name, distribution in _distributions().items():
        for file in distribution.files or ():
            metadata = file.match("*.dist-info/METADATA")
            # A path that climbs out of site-packages is a script of the environment.
            if (file.suffix == ".py" or metadata) and file.parts[0] != "..":
                path = Path(str(distribution.locate_file(file)))
                if path.is_file():
                    yield SourceFile(str(path), name, file.as_posix())


@lru_cache(maxsize=1)
def _distributions() -> dict[str, Distribution]:
    """Return what is installed in this environment, whatever else the import path holds."""
    paths = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    found = {_normalized(_field(each, "Name")): each for each in distributions(path=paths)}
    found.pop("", None)  # what an interrupted installation left behind
    return {name: found[name] for name in sorted(found) if name not in EXCLUDED_DISTRIBUTIONS}


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()  # PEP 503


def _shuffled(name: str) -> int:
    return xxhash.xxh3_64_intdigest(name.encode())


def _name(file: SourceFile) -> str:
    return f"{SCHEME}/{file.distribution}/{file.inner}"


def _prose_size(file: SourceFile) -> int:
    """Estimate the bytes of text: what is in triple quotes, about a fifth too much."""
    try:
        content = Path(file.path).read_bytes()
    except OSError:
        return 1  # reading it will report why
    if not file.inner.endswith(".py") or file.inner == TOPICS:
        return len(content)
    return sum(max(map(len, match)) for match in TRIPLE_QUOTED.findall(content))


def _documents(path: str, inner: str) -> Iterator[Document | Reject]:
    if inner == TOPICS:
        yield from _topics(path)
    elif inner.endswith(".py"):
        yield from _module(path, inner)
    else:
        yield from _readme(path)


def _module(path: str, inner: str) -> Iterator[Document | Reject]:
    module = ".".join(PurePosixPath(inner).with_suffix("").parts).removesuffix(".__init__")
    source = Path(path).read_bytes()
    try:
        text = render(source, module)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = f"{type(error).__name__}: {error}"
        yield Reject(module, RejectKind.BAD_SOURCE, reason, source[:PAYLOAD_LIMIT])
        return
    if text:
        yield Document(module, "module", text)


def _topics(path: str) -> Iterator[Document]:
    assignment = ast.parse(Path(path).read_bytes()).body[-1]
    assert isinstance(assignment, ast.Assign)
    for topic, text in sorted(ast.literal_eval(assignment.value).items()):
        yield Document(f"topic {topic}", "topic", text)


def _readme(path: str) -> Iterator[Document]:
    description = _field(Distribution.at(Path(path).parent), "Description")
    if description.strip() not in ("", "UNKNOWN"):
        yield Document("README", "readme", description)


def _definitions(node: ast.AST, prefix: str) -> Iterator[tuple[str, Definition]]:
    """Yield classes, functions and methods with their qualified names, in source order."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, DEFINITIONS):
            name = f"{prefix}.{child.name}"
            yield name, child
            if isinstance(child, ast.ClassDef):
                yield from _definitions(child, name)
        elif isinstance(child, BLOCKS):
            yield from _definitions(child, prefix)


def _signature(name: str, definition: Definition) -> str:
    if isinstance(definition, ast.ClassDef):
        bases = ", ".join(map(ast.unparse, definition.bases))
        return f"class {name}({bases})" if bases else f"class {name}"
    arguments = definition.args
    arguments.defaults = [_shortened(default) for default in arguments.defaults]
    arguments.kw_defaults = [default and _shortened(default) for default in arguments.kw_defaults]
    return f"{name}({ast.unparse(arguments)})"


def _shortened(default: ast.expr) -> ast.expr:
    return default if len(ast.unparse(default)) <= LONGEST_DEFAULT else ast.Constant(...)


def _encodable(text: str) -> str:
    """Replace lone surrogates, which docstrings may spell as escapes and UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode()


@lru_cache(maxsize=4096)
def _metadata(distribution: str, kind: str) -> str:
    version, licence = _stated(distribution)
    fields = {"distribution": distribution, "kind": kind, "version": version, "licence": licence}
    return to_json({name: value for name, value in fields.items() if value})


def _stated(distribution: str) -> tuple[str, str]:
    """Return the version and the licence, as an expression where stated, else a short phrase."""
    if distribution == STDLIB:
        return python_version(), "PSF-2.0"
    installed = _distributions()[distribution]
    classifiers = installed.metadata.get_all("Classifier") or []
    phrases = [line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License ::")]
    stated = _field(installed, "License-Expression") or _field(installed, "License")
    if not stated or "\n" in stated:  # some put the licence's whole text there
        stated = ", ".join(phrases)
    return installed.version, stated


def _field(distribution: Distribution, name: str) -> str:
    return str((distribution.metadata.get_all(name) or [""])[0])
