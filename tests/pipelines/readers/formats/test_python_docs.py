import email.message
import hashlib
import json
import os
import random
import subprocess
import sys
import sysconfig
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from pipelines.readers.formats import python_docs
from pipelines.readers.records import ReadOptions, Record, Reject, Slice
from pipelines.readers.registry import READERS
from weighting.errors import AssayError

SOURCE = b'''
"""A module.

    Indented."""
import no_such_module
raise SystemExit

if True:
    def early(a, /, b: int = 1, *rest, key=(1, 2), long="%s", **more) -> str:
        """Come
        first."""
        def inner():
            """Not part of the interface."""

class Plain:
    """A class."""

    async def method(self):
        """Invalid escape: \\d."""

    def bare(self): ...

    class Nested(Plain, metaclass=type):
        """Inside."""

try:
    pass
except ValueError:
    def late(): "Last."
''' % (b"x" * 60)

RENDERED = """A module.

Indented.

pack.mod.early(a, /, b: int=1, *rest, key=(1, 2), long=..., **more)
Come
first.

class pack.mod.Plain
A class.

pack.mod.Plain.method(self)
Invalid escape: \\d.

class pack.mod.Plain.Nested(Plain)
Inside.

pack.mod.late()
Last."""


@pytest.fixture(scope="module")
def everything():
    return python_docs.list_files(None)


def read_file(path, name):
    slice_ = Slice(str(path), name, "python-docs", 0, -1, 0)
    return list(READERS["python-docs"].read(slice_, ReadOptions()))


def stdlib(name):
    path = f"{sysconfig.get_path('stdlib')}/{name}"
    return read_file(path, f"python-docs/stdlib/{name}")


def test_a_module_is_rendered_in_source_order_and_not_run():
    assert python_docs.render(SOURCE, "pack.mod") == RENDERED


def test_code_without_docstrings_is_no_document(tmp_path):
    path = tmp_path / "a.py"
    path.write_text('TEXT = """not documentation"""\n')
    assert read_file(path, "python-docs/stdlib/a.py") == []


def test_a_standard_module():
    [record] = stdlib("json/__init__.py")
    assert (record.locator, record.source) == ("json", "stdlib")
    assert "\n\njson.dumps(obj, *, skipkeys=False, " in record.text
    assert json.loads(record.metadata)["kind"] == "module"
    assert json.loads(record.metadata)["licence"] == "PSF-2.0"


def test_topics_are_documents():
    records = stdlib(python_docs.TOPICS)
    topics = {record.locator: record for record in records}
    assert len(topics) == len(records) > 50
    assert 'The "for" statement' in topics["topic for"].text
    assert json.loads(topics["topic for"].metadata)["kind"] == "topic"


def test_a_readme_and_what_its_distribution_states(everything):
    inner = next(part.name for part in everything if "/numpy/numpy-" in part.name)
    _, distribution, path = inner.split("/", 2)
    [record] = read_file(f"{sysconfig.get_path('purelib')}/{path}", inner)
    assert (record.locator, record.source) == ("README", "numpy")
    assert "numpy.org" in record.text
    stated = json.loads(record.metadata)
    assert stated["distribution"] == distribution
    assert stated["version"].startswith("2.")
    assert "BSD" in stated["licence"]


def test_every_name_is_read_by_its_kind(tmp_path):
    folder = tmp_path / "pack-1.0.dist-info"
    folder.mkdir()
    message = email.message.Message()
    message["Name"] = "pack"
    for description, texts in {"": [], "UNKNOWN\n": [], "# Pack\n": ["# Pack\n"]}.items():
        message.set_payload(description)
        (folder / "METADATA").write_text(str(message))
        found = read_file(folder / "METADATA", "python-docs/stdlib/pack-1.0.dist-info/METADATA")
        assert [record.text for record in found] == texts


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b'"""Doc."""\nprint "python 2"', "SyntaxError"),
        (b'"""Latin: \xe9"""', "SyntaxError"),
        (b'"""Doc.\0"""', "null bytes"),
        (b'# coding: no-such\n"""Doc."""', "SyntaxError"),
    ],
)
def test_source_that_does_not_parse_is_a_reject(tmp_path, source, reason):
    path = tmp_path / "b.py"
    path.write_bytes(source)
    [reject] = read_file(path, "python-docs/stdlib/a/b.py")
    assert isinstance(reject, Reject)
    assert reject[:2] == ("a.b", "bad_source")
    assert reason in reject.message
    assert reject.payload == source


def test_lone_surrogates_are_replaced(tmp_path):
    path = tmp_path / "a.py"
    path.write_text('"""One \\ud800 here."""')
    [record] = read_file(path, "python-docs/stdlib/a.py")
    assert record.text == "One ? here."


@pytest.mark.slow
def test_a_limit_takes_a_sample_that_a_larger_limit_contains():
    small, large = python_docs.list_files(0.2), python_docs.list_files(0.6)
    assert sum(part.size for part in small) >= 200_000
    assert sum(part.size for part in small[:-1]) < sum(part.size for part in large)
    assert set(small) < set(large)
    distributions = sorted({part.name.split("/")[1] for part in large})
    assert distributions[0] < "c"
    assert distributions[-1] > "s"


def test_only_source_and_readme_of_a_distribution_are_taken(tmp_path, monkeypatch):
    inner = ["pack/__init__.py", "pack/data.txt", "pack-1.0.dist-info/METADATA", "../bin/run.py"]
    for name in inner:
        path = tmp_path / "site" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text('"""Text."""')
    info = tmp_path / "site" / "pack-1.0.dist-info"
    (info / "RECORD").write_text("".join(f"{name},,\n" for name in [*inner, "pack/gone.py"]))
    monkeypatch.setattr(python_docs, "_distributions", lambda: {"pack": Distribution.at(info)})
    names = {part.name for part in python_docs.list_files(None) if "/pack/" in part.name}
    assert names == {f"python-docs/pack/{name}" for name in (inner[0], inner[2])}


def test_the_whole_environment_without_tests_and_assay(everything):
    names = {part.name for part in everything}
    assert {
        "python-docs/stdlib/json/__init__.py",
        "python-docs/stdlib/pydoc_data/topics.py",
    } < names
    assert "python-docs/pyarrow/pyarrow/parquet/core.py" in names
    assert not any(
        name.startswith(("python-docs/stdlib/test/", "python-docs/assay/")) for name in names
    )
    assert not any("/../" in name for name in names)


@pytest.mark.slow
def test_the_list_is_the_same_in_another_process_and_folder(tmp_path):
    code = (
        "from pipelines.readers.formats.python_docs import list_files\n"
        "import hashlib; print(hashlib.sha256(repr(list_files(0.3)).encode()).hexdigest())"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd()), "PYTHONHASHSEED": "7"}
    there = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, check=True
    )
    here = hashlib.sha256(repr(python_docs.list_files(0.3)).encode()).hexdigest()
    assert there.stdout.decode().strip() == here


def test_a_sample_reads_cleanly():
    parts = random.Random(0).sample(python_docs.list_files(3), 60)
    items = [item for part in parts for item in read_file(part.path, part.name)]
    assert len(items) > 40
    for item in items:
        assert isinstance(item, Record)
        assert item.text.encode()
        assert item.text.strip()


@pytest.mark.parametrize(
    "spec", ["python-docs:x", "python-docs:0", "python-docs:-3", "python-docs:nan"]
)
def test_a_bad_size_is_named(spec):
    with pytest.raises(AssayError, match=f"{spec}: the size must be a positive number of MB"):
        python_docs.cut(spec, spec, 1)
