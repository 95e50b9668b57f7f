"""Entry points of installed packages add records; what cannot be one is refused by name."""

import pytest

from weighting import extensions
from weighting.errors import AssayError
from weighting.extensions import Extension, extend, list_extensions


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Install a package whose module defines what is given, under the entry points given."""

    def install(code, **points):
        (tmp_path / "outside_records.py").write_text(code)
        info = tmp_path / "outside-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: outside\nVersion: 1.2\n")
        lines = (f"{name} = outside_records:{value}" for name, value in points.items())
        (info / "entry_points.txt").write_text("\n".join(["[assay.signals]", *lines]))
        monkeypatch.syspath_prepend(tmp_path)
        extensions.list_extensions.cache_clear()

    yield install
    extensions.list_extensions.cache_clear()


def test_records_of_packages_follow_those_of_assay(package):
    package("A, B = 1, 2", beta="B", alpha="A")
    assert list(extend("signals", {"own": 0}, int).items()) == [
        ("own", 0),
        ("alpha", 1),
        ("beta", 2),
    ]
    assert list_extensions() == (
        Extension("signals", "alpha", "outside", "1.2"),
        Extension("signals", "beta", "outside", "1.2"),
    )


def test_without_packages_there_is_nothing_more():
    assert extend("signals", {"own": 0}, int) == {"own": 0}


@pytest.mark.parametrize(
    ("code", "points", "message"),
    [
        ("A = 1", {"own": "A"}, "outside adds 'own' to assay.signals: the name is taken"),
        ("A = 'x'", {"a": "A"}, "outside adds 'a' to assay.signals: outside_records:A is no int"),
        ("raise OSError('no disk')", {"a": "A"}, "which cannot be imported: no disk"),
        ("", {"a": "A"}, "which cannot be imported: module 'outside_records' has no attribute 'A'"),
    ],
)
def test_what_is_no_record_is_refused(package, code, points, message, monkeypatch):
    monkeypatch.delitem(__import__("sys").modules, "outside_records", raising=False)
    package(code, **points)
    with pytest.raises(AssayError) as caught:
        extend("signals", {"own": 0}, int)
    assert message in str(caught.value)
