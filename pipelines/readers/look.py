"""A first look at an input: which reader takes it and why, its fields, its first records.

Reading is bounded: some records, or some MB, whichever come first. Junk is described, never raised.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, NamedTuple

import orjson

from pipelines.readers.fields import FieldStats, suggest_text, tally
from pipelines.readers.inputs import Input
from pipelines.readers.records import Item, ReadOptions, Record, Reject, RejectKind, Slice
from pipelines.readers.registry import READERS, find_by_scheme, find_by_suffix
from pipelines.readers.rows import WHOLE_ROWS
from pipelines.readers.streams import open_stream
from pipelines.readers.streams.urls import file_path
from weighting.errors import AssayError

DEFAULTS = ReadOptions()
ITEMS = 100  # records and rejects that are looked at
BYTES = 4 * 2**20  # of text and metadata that are looked at, about
SKIPPED_ITEMS = 2000  # stored records that are no documents, before the look ends


class Field(NamedTuple):
    """A field of the records, nested ones with dots.

    `kind` is what JSON calls its values, several with "or"; `share` is of the records that have a
    value; `characters` is the mean length of its strings.
    """

    name: str
    kind: str
    share: float
    characters: float


@dataclass(frozen=True)
class Look:
    """What the first records of an input show.

    `reader` is None where no reader takes it; `why` says why this one does, or what could be set.
    `fields` are those of structured records, the text one among them. `samples` and `rejects` are
    what a run would read of them. `suggestion` is the text field to set where the one that is set
    is in no record; None where all is well or no field has text.
    """

    name: str
    path: str
    reader: str | None
    why: str
    fields: tuple[Field, ...] = ()
    samples: tuple[Record, ...] = ()
    rejects: tuple[Reject, ...] = ()
    suggestion: str | None = None


def describe(item: Input, options: ReadOptions = DEFAULTS) -> Look:
    """Return what an input is and what a run would read of it, by its first records."""
    reader = READERS[item.reader]
    rows: list[dict[str, Any]] = []
    if reader.structured:
        names = {"text_field": WHOLE_ROWS, "source_field": WHOLE_ROWS}
        whole = replace(options, **names, fields=None, html=False)
        rows = [_row(record) for record in _sample(item, whole) if isinstance(record, Record)]
    items = list(_sample(item, options))
    samples = tuple(found for found in items if isinstance(found, Record))
    stats = tally(rows)
    return Look(
        name=item.name,
        path=item.path,
        reader=item.reader,
        why=_explain(item),
        fields=tuple(_list_fields(stats, len(rows))),
        samples=samples,
        rejects=tuple(found for found in items if isinstance(found, Reject)),
        suggestion=None if samples or not rows else suggest_text(rows),
    )


def describe_ignored(path: str) -> Look:
    """Return why no reader takes a file that was found in a folder, and what could be set."""
    content = open_stream.peek(path)
    begin = content.head.lstrip()[:1]
    names = [name for name, reader in READERS.items() if reader.suffixes]
    likely = '; it seems JSON: set read.format = "jsonl"' if begin in (b"{", b"[") else ""
    why = f"its suffix is not known; read.format names a reader of {', '.join(names)}"
    why = content.foreign or (f"its suffix is not known{likely}" if likely else why)
    return Look(name=path.rpartition("/")[2], path=path, reader=None, why=why)


def _explain(item: Input) -> str:
    reader = READERS[item.reader]
    if find_by_scheme(item.path) == item.reader:
        return f"it is named by {reader.scheme}"
    lowered = file_path(item.path).lower()
    suffix = max((end for end in reader.suffixes if lowered.endswith(end)), key=len, default="")
    if suffix and find_by_suffix(item.path) == item.reader:
        return f"its suffix is {suffix}"
    return "read.format names it" if reader.suffixes else "the folder is a saved dataset"


def _list_fields(stats: dict[str, FieldStats], rows: int) -> Iterator[Field]:
    for name, found in stats.items():
        kinds = [kind for kind in found.kinds if kind != "null"] or ["null"]
        yield Field(name, " or ".join(kinds), found.rows / rows, found.mean_characters)


def _sample(item: Input, options: ReadOptions) -> Iterator[Item]:
    """Yield the first items of an input, at most about as many and as large as the bounds say."""
    whole = Slice(item.path, item.name, item.reader, 0, -1, 0)
    try:
        yield from islice(_bound(READERS[item.reader].read(whole, options)), ITEMS)
    except Exception as error:  # whatever a library raises on junk is what there is to say of it
        kind = "" if isinstance(error, AssayError) else f"{type(error).__name__}: "
        message = kind + str(error).partition("\n")[0]
        yield Reject("file", RejectKind.UNREADABLE, message, b"")


def _bound(items: Iterable[Item]) -> Iterator[Item]:
    size = 0
    for number, item in enumerate(items):
        if isinstance(item, Record):
            size += len(item.text) + len(item.metadata)
        if isinstance(item, Record | Reject):
            yield item
        if size > BYTES or number > SKIPPED_ITEMS:
            return


def _row(record: Record) -> dict[str, Any]:
    row: dict[str, Any] = orjson.loads(record.metadata)
    return row
