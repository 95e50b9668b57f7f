"""What the named inputs are: how many of each format, the first records of some, what is left out.

A corpus is looked at in the same time whatever its size: a few files of each format and layout.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from pipelines.readers.folders import LeftOut
from pipelines.readers.inputs import Input, expand
from pipelines.readers.look import Look, describe, describe_ignored
from pipelines.readers.records import ReadOptions
from pipelines.readers.streams.open_stream import file_size

FILES = 8  # of a reader that are looked into, evenly among their names
IGNORED = 3  # of a suffix that are looked into


@dataclass(frozen=True)
class Format:
    """The inputs of one reader: how many, their stored bytes, and looks into some of them."""

    reader: str
    inputs: int
    size: int
    looks: list[Look]


@dataclass(frozen=True)
class Unread:
    """Files of one suffix that no reader takes, and why."""

    suffix: str
    files: int
    looks: list[Look]


@dataclass(frozen=True)
class Survey:
    """All that is known of a corpus before it is read."""

    formats: list[Format]
    unread: list[Unread]
    left_out: list[LeftOut]

    @property
    def looks(self) -> Iterator[Look]:
        """The looks into inputs that would be read."""
        return (look for found in self.formats for look in found.looks)

    @property
    def text_field(self) -> str | None:
        """The field to set as the text where the set one is in no record that was looked at."""
        looks = list(self.looks)
        if any(look.samples for look in looks):
            return None
        names = Counter(look.suggestion for look in looks if look.suggestion)
        return names.most_common(1)[0][0] if names else None


def survey(paths: Sequence[str], options: ReadOptions) -> Survey:
    """Return what inputs are, as `assay curate` would take them.

    Raises:
        AssayError: nothing is there, or nothing there can be read.
    """
    found, ignored, left_out = expand(paths, options.format)
    groups: dict[str, list[Input]] = defaultdict(list)
    for item in found:
        groups[item.reader].append(item)
    formats = [
        Format(
            reader,
            len(items),
            sum(file_size(item.path) for item in items),
            [describe(item, options) for item in _choose(items, FILES)],
        )
        for reader, items in sorted(groups.items(), key=lambda pair: -len(pair[1]))
    ]
    return Survey(formats, list(_group_ignored(ignored)), left_out)


def _group_ignored(paths: Sequence[str]) -> Iterator[Unread]:
    suffixes: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        suffixes[PurePosixPath(path).suffix.lower() or "no suffix"].append(path)
    for suffix, some in sorted(suffixes.items(), key=lambda pair: -len(pair[1])):
        yield Unread(suffix, len(some), [describe_ignored(path) for path in some[:IGNORED]])


def _choose(items: Sequence[Input], count: int) -> list[Input]:
    """Return at most `count` items, evenly among all; the first is one of them."""
    step = max(1, -(-len(items) // count))
    return list(items[::step])
