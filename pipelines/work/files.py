"""Kinds of temporary files: what `WorkFolder` names, and how each is written and read.

All are written whole or not at all, so that a file that exists is finished, whatever was killed.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar, cast

from pipelines.work.arrays import load_array, save_array
from weighting.arrays import AnyArray
from weighting.storage.json_records import read_record, write_record

T = TypeVar("T")
A = TypeVar("A", bound=AnyArray)
DONE = ".done.json"  # ends the names of summaries
LENGTH = len(DONE)
DIGITS = 6  # of a unit's or range's number in names of files, so that names sort as numbers do


@dataclass(frozen=True)
class Files:
    """Numbered files of one suffix in a folder, whose form their writer and reader know."""

    folder: Path
    suffix: str

    def __getitem__(self, number: int) -> Path:
        """Return the path of one file."""
        return self.folder / f"{number:0{DIGITS}d}{self.suffix}"

    def __iter__(self) -> Iterator[Path]:
        """Yield the paths of the files that exist, by number."""
        return iter(sorted(self.folder.glob(f"[0-9]*{self.suffix}")))


@dataclass(frozen=True)
class ArrayFile(Generic[A]):
    """One array as a `.npy` file."""

    path: Path

    def exists(self) -> bool:
        """Say whether the array is written."""
        return self.path.exists()

    def save(self, array: A) -> None:
        """Write the array."""
        save_array(self.path, array)

    def load(self) -> A:
        """Return the array, mapped from the file rather than read."""
        return cast("A", load_array(self.path))


@dataclass(frozen=True)
class ArrayFiles(Generic[A]):
    """Numbered arrays in a folder."""

    folder: Path

    def __getitem__(self, number: int) -> ArrayFile[A]:
        """Return one of the files."""
        return ArrayFile(Files(self.folder, ".npy")[number])

    def __iter__(self) -> Iterator[ArrayFile[A]]:
        """Yield the files that exist, by number."""
        return (ArrayFile(path) for path in Files(self.folder, ".npy"))


@dataclass(frozen=True)
class RecordFile(Generic[T]):
    """One record, or a list of them, as JSON."""

    path: Path
    kind: type[T]

    def exists(self) -> bool:
        """Say whether the record is written."""
        return self.path.exists()

    def write(self, record: T) -> None:
        """Write the record."""
        write_record(self.path, record)

    def read(self) -> T:
        """Read the record back.

        Raises:
            AssayError: it is not there.
            BrokenContract: the file holds something else.
        """
        return read_record(self.kind, self.path)


@dataclass(frozen=True)
class RecordFiles(Generic[T]):
    """Numbered records in a folder."""

    folder: Path
    kind: type[T]

    def __getitem__(self, number: int) -> RecordFile[T]:
        """Return one of the files."""
        return RecordFile(Files(self.folder, ".json")[number], self.kind)


@dataclass(frozen=True)
class Step(Generic[T]):
    """A step's finished units: each left a summary, written when all its other files were there.

    So the presence of a summary is what resume and progress go by.
    """

    folder: Path
    kind: type[T]

    @property
    def name(self) -> str:
        """The step's name."""
        return self.folder.name

    def is_done(self, uid: int) -> bool:
        """Say whether the unit is finished."""
        return self._of(uid).exists()

    def finish(self, uid: int, summary: T) -> None:
        """Record that the unit is finished."""
        self._of(uid).write(summary)

    def read(self, uid: int) -> T:
        """Return the summary of a finished unit."""
        return self._of(uid).read()

    def list_done(self) -> set[int]:
        """Return the numbers of the finished units. It is asked often, with many units."""
        return {int(name[:-LENGTH]) for name in self._list_names()}

    def count_done(self) -> int:
        """Return how many units are finished."""
        return sum(1 for _ in self._list_names())

    def _list_names(self) -> Iterator[str]:
        """Yield the names of the summaries, in no order; temporary files begin with a dot."""
        try:
            names = os.listdir(self.folder)  # noqa: PTH208 - makes no Path of each
        except FileNotFoundError:  # nothing is finished
            return
        yield from (name for name in names if name.endswith(DONE) and name[0] != ".")

    def __iter__(self) -> Iterator[T]:
        """Yield the summaries of all finished units, by number."""
        return (RecordFile(path, self.kind).read() for path in self._files)

    @property
    def _files(self) -> Files:
        return Files(self.folder, DONE)

    def _of(self, uid: int) -> RecordFile[T]:
        return RecordFile(self._files[uid], self.kind)


@dataclass(frozen=True)
class Grid(Generic[T]):
    """A folder for each of several numbers, of orders or rounds, with the same files in each."""

    folder: Path
    make: Callable[[Path], T]

    def __getitem__(self, number: int) -> T:
        """Return the files of one number."""
        return self.make(self.folder / f"{number:03d}")


class Entry(Generic[T]):
    """An attribute of a work folder, whose files lie under the attribute's name.

    `make` gets their path and returns what writes and reads them.
    """

    def __init__(self, make: Callable[[Path], T], suffix: str = "") -> None:
        self._make, self._suffix = make, suffix

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name + self._suffix

    def __get__(self, work: "InFolder", owner: type) -> T:
        return self._make(work.path / self._name)


class InFolder(Protocol):
    """What has entries: a folder."""

    @property
    def path(self) -> Path:
        """The folder."""


def folder() -> Entry[Path]:
    """Return an entry for a folder whose files their writer names."""
    return Entry(lambda path: path)


def files(suffix: str) -> Entry[Files]:
    """Return an entry for numbered files."""
    return Entry(lambda path: Files(path, suffix))


def array(_kind: type[A]) -> Entry[ArrayFile[A]]:
    """Return an entry for one array."""
    return Entry(ArrayFile[A], ".npy")


def arrays(_kind: type[A]) -> Entry[ArrayFiles[A]]:
    """Return an entry for numbered arrays."""
    return Entry(ArrayFiles[A])


def array_grid(_kind: type[A]) -> Entry[Grid[ArrayFiles[A]]]:
    """Return an entry for numbered arrays of each of several numbers."""
    return Entry(lambda path: Grid(path, ArrayFiles[A]))


def record(kind: type[T]) -> Entry[RecordFile[T]]:
    """Return an entry for one record."""
    return Entry(lambda path: RecordFile(path, kind), ".json")


def records(kind: type[T]) -> Entry[RecordFiles[T]]:
    """Return an entry for numbered records."""
    return Entry(lambda path: RecordFiles(path, kind))


def record_grid(kind: type[T]) -> Entry[Grid[RecordFiles[T]]]:
    """Return an entry for numbered records of each of several numbers."""
    return Entry(lambda path: Grid(path, lambda inner: RecordFiles(inner, kind)))


def step(kind: type[T]) -> Entry[Step[T]]:
    """Return an entry for a step's summaries, of which each unit leaves one."""
    return Entry(lambda path: Step(path, kind))
