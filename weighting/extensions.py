"""The door for installed packages: entry points that add signals, policies, rules and more.

A package names its record in its pyproject.toml, and is installed beside assay:

    [project.entry-points."assay.policies"]
    mine = "my_package.weights:MINE"

It is then listed with the records that come with assay, under the entry point's name: in recipes,
commands, the report and the database. The manifest names the package and its version.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import TypeVar

from weighting.errors import AssayError

T = TypeVar("T")
KINDS = ("signals", "policies", "rules", "readers", "objectives")


@dataclass(frozen=True, order=True)
class Extension:
    """A record that an installed package adds."""

    kind: str
    name: str
    package: str
    version: str


@cache
def list_extensions() -> tuple[Extension, ...]:
    """Return what installed packages add, ordered by kind and name; nothing is imported."""
    found = (
        Extension(kind, one.name, one.dist.name, one.dist.version)
        for kind in KINDS
        for one in entry_points(group=f"assay.{kind}")
        if one.dist is not None
    )
    return tuple(sorted(set(found)))


def extend(kind: str, own: Mapping[str, T], of: type[T]) -> dict[str, T]:
    """Return assay's own records of a kind, then those of installed packages by name.

    Raises:
        AssayError: a name is taken, or what it names cannot be imported or is not such a record.
    """
    records = dict(own)
    for one in sorted(entry_points(group=f"assay.{kind}"), key=lambda one: one.name):
        package = one.dist.name if one.dist is not None else "an installed package"
        where = f"{package} adds {one.name!r} to assay.{kind}"
        if one.name in records:
            raise AssayError(f"{where}: the name is taken")
        try:
            record = one.load()
        except Exception as error:  # whatever a stranger's module raises
            raise AssayError(f"{where}, which cannot be imported: {error}") from error
        if not isinstance(record, of):
            raise AssayError(f"{where}: {one.value} is no {of.__name__}")
        records[one.name] = record
    return records
