"""What a run put in quarantine, by kind of error, for a person to read."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from flows.visible import shorten, show
from pipelines.curate import quarantine
from pipelines.curate.quarantine import Entry
from weighting.contracts.claim import CLAIM
from weighting.errors import AssayError

MESSAGES = 10_000  # distinct ones of a kind that are counted: some name a byte, so all differ
FILES = 3  # that are named
PAYLOAD_CHARS = 240  # of a record's raw bytes that are shown


@dataclass
class Kind:
    """The records of one kind of error: how many, what is said of them, the first few."""

    error: str
    records: int = 0
    messages: Counter[str] = field(default_factory=Counter)
    examples: list[Entry] = field(default_factory=list)

    @property
    def message(self) -> str:
        """What is said of most of them."""
        return self.messages.most_common(1)[0][0]

    def add(self, entry: Entry, examples: int) -> None:
        """Count a record, and keep it where fewer than `examples` are kept."""
        self.records += 1
        if entry.message in self.messages or len(self.messages) < MESSAGES:
            self.messages[entry.message] += 1
        if len(self.examples) < examples:
            self.examples.append(entry)


def list_kinds(run: Path, examples: int = 0) -> list[Kind]:
    """Return the kinds of error in a run's quarantine, the commonest first.

    The run need not be finished.

    Raises:
        AssayError: no run is there.
        BrokenContract: a file of the quarantine is damaged.
    """
    if not (run / CLAIM).is_file():
        raise AssayError(f"{run}: no run of assay is there (no {CLAIM})")
    kinds: dict[str, Kind] = {}
    for entry in quarantine.read(run / "quarantine"):
        kinds.setdefault(entry.error, Kind(entry.error)).add(entry, examples)
    return sorted(kinds.values(), key=lambda kind: (-kind.records, kind.error))


def choose_kind(kinds: Sequence[Kind], error: str) -> list[Kind]:
    """Return the kind of one name.

    Raises:
        AssayError: there is no record of it.
    """
    chosen = [kind for kind in kinds if kind.error == error]
    if not chosen:
        there = ", ".join(kind.error for kind in kinds) or "no quarantined record"
        raise AssayError(f"no record of error {error!r}; there is {there}")
    return chosen


def describe_commonest(run: Path) -> str:
    """Return what is said of most of the quarantined records; "" where none is quarantined."""
    kinds = list_kinds(run)
    if not kinds:
        return ""
    return f"{kinds[0].error} ({kinds[0].records:,}): {kinds[0].message}"


def describe_files(run: Path) -> str:
    """Return the files that most of the quarantined records are of; "" where none is quarantined.

    A file of another kind, such as a page that reports an error, is few records of many.
    """
    files = Counter(entry.name for entry in quarantine.read(run / "quarantine"))
    named = [f"{count:,} of {name}" for name, count in files.most_common(FILES)]
    if len(files) > FILES:
        named.append(f"some of {len(files) - FILES:,} more inputs")
    return f"could not be read: {', '.join(named)}" if named else ""


def print_kinds(kinds: Sequence[Kind], console: Console) -> None:
    """Print each kind of error with the commonest message and its examples."""
    total = sum(kind.records for kind in kinds)
    console.print(f"{total:,} records could not be read", highlight=False)
    for kind in kinds:
        console.print()
        console.print(Text.assemble((f"{kind.records:,} {show(kind.error)}", "bold")))
        console.print(Text(show(kind.message), "yellow"))
        for entry in kind.examples:
            console.print(_describe(entry, kind.message))


def describe_kinds(kinds: Sequence[Kind]) -> dict[str, Any]:
    """Return the kinds with their examples, for programs; bytes that are no UTF-8 as \\x."""
    return {
        kind.error: {
            "records": kind.records,
            "message": kind.message,
            "examples": [
                {**one._asdict(), "payload": one.payload.decode("utf-8", "backslashreplace")}
                for one in kind.examples
            ],
        }
        for kind in kinds
    }


def _describe(entry: Entry, said: str) -> Text:
    """Return where a record stands, what is said of it beside `said`, how its bytes begin."""
    # A character has at most four bytes: no more is decoded than is shown.
    head = entry.payload[: 4 * PAYLOAD_CHARS].decode("utf-8", "backslashreplace")
    text = Text(f"  {show(entry.name)}: {show(entry.locator)}")
    if entry.message != said:
        text.append(f"  {show(entry.message)}", "dim")
    if head:
        text.append(f"\n    {show(shorten(head, PAYLOAD_CHARS))}")
    return text
