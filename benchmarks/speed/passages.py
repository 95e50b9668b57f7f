"""Repeated passages: the speed of each step, what is marked, and the most common passages.

python -m benchmarks.speed.passages CORPUS [MB]    CORPUS as for `assay curate`

Texts, without exact copies, go through in units of about 4 MB, as they do in a run. Times are of
the CPU, the median of some rounds after one that compiles and fills the vocabulary of words. Each
step is counted once: a run that does not keep the pieces lists words and finds pieces before
counting and again after it.
"""

import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple, ParamSpec, TypeVar

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from benchmarks.corpus import read_corpus
from pipelines.dedupe.cuts import delete
from pipelines.dedupe.passages import KINDS, Passages, Pieces, find_pieces, mark
from pipelines.dedupe.repeats import count_repeats, cut_range, look_up, pack_keys, select_all
from pipelines.settings import PassageSettings
from pipelines.text.word_hashes import list_words
from pipelines.words import Text
from weighting.arrays import Uint64s

UNIT_BYTES = 4_000_000
PARTITIONS = 4
MOST, SHOWN = 20, 70  # passages, characters of each
ROUNDS = 3
SETTINGS = PassageSettings()
P = ParamSpec("P")
T = TypeVar("T")


class Clock:
    """CPU seconds and bytes written, by step."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.bytes: Counter[str] = Counter()

    def time(self, step: str, work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """Do some work, and add what it took to its step."""
        start = time.process_time()
        result = work(*given, **named)
        self.seconds[step] += time.process_time() - start
        return result


class Unit(NamedTuple):
    """A batch of texts, what may be a passage in it, and its columns to mark and to delete."""

    texts_D: pa.StringArray
    ranks_D: Uint64s
    pieces: Pieces
    columns: Uint64s
    ranked: Uint64s


def cut_units(texts: list[str]) -> list[pa.StringArray]:
    """Return the texts in batches of about UNIT_BYTES."""
    units: list[list[str]] = [[]]
    size = 0
    for text in texts:
        units[-1].append(text)
        size += len(text.encode())
        if size >= UNIT_BYTES:
            units.append([])
            size = 0
    return [pa.array(unit, pa.string()) for unit in units if unit]


def find_units(batches: list[pa.StringArray], clock: Clock) -> list[Unit]:
    """Do what is done before counting."""
    units = []
    generator = np.random.default_rng(0)
    for texts_D in batches:
        text = Text.view(texts_D)
        ranks_D = generator.integers(0, 2**64, len(texts_D), np.uint64)
        clock.time("list words", list_words, text)
        pieces = clock.time("list words and find pieces", find_pieces, text, SETTINGS)
        columns = clock.time("pack", pack_keys, pieces)
        ranked = clock.time("pack (delete)", pack_keys, pieces, ranks_D)
        clock.bytes["pack"] += columns.nbytes
        clock.bytes["pack (delete)"] += ranked.nbytes
        units.append(Unit(texts_D, ranks_D, pieces, columns, ranked))
    return units


def count(parts: list[Uint64s], step: str, clock: Clock) -> list[Uint64s]:
    """Return what is repeated, by partition."""
    repeats = []
    for number in range(PARTITIONS):
        some = [cut_range(part, number, PARTITIONS) for part in parts]
        repeats.append(clock.time(step, count_repeats, some, SETTINGS.documents))
        clock.bytes[step] += repeats[-1].nbytes
    return repeats


def mark_units(units: list[Unit], clock: Clock) -> list[Passages]:
    """Count and mark."""
    repeats = count([unit.columns for unit in units], "count", clock)
    passages = []
    for unit in units:
        held = clock.time("gather", select_all, unit.columns, repeats)
        found = clock.time("look up", look_up, unit.pieces.keys_M, held)
        text = Text.view(unit.texts_D)
        passages.append(clock.time("mark", mark, text, unit.pieces, found[0]))
    return passages


def delete_units(units: list[Unit], clock: Clock) -> int:
    """Count and delete; return the characters that are left."""
    repeats = count([unit.ranked for unit in units], "count (delete)", clock)
    left = 0
    for unit in units:
        found = look_up(unit.pieces.keys_M, select_all(unit.ranked, repeats))
        edited = clock.time("delete", delete, unit.texts_D, unit.pieces, found, unit.ranks_D)
        left += sum(len(text) for text, _ in edited)
    return left


def measure_marks(unit: Unit, passages: Passages) -> dict[str, int]:
    """Return the characters in passages of each kind, and of any."""
    chars = pa.compute.utf8_length(unit.texts_D).to_numpy()
    starts_D = np.cumsum(chars) - chars
    shift_P = np.repeat(starts_D, np.diff(passages.offsets_D1))
    marked = np.zeros((len(KINDS) + 1, int(chars.sum()) + 1), np.int64)
    for row in range(len(KINDS) + 1):
        some = (passages.kinds_P == row) | (row == len(KINDS))
        np.add.at(marked[row], (passages.starts_P + shift_P)[some], 1)
        np.add.at(marked[row], (passages.ends_P + shift_P)[some], -1)
    inside = (np.cumsum(marked, axis=1) > 0).sum(axis=1)
    return dict(zip([*KINDS, "any"], inside.tolist(), strict=True))


def list_passages(units: list[Unit], passages: list[Passages]) -> Counter[tuple[str, str]]:
    """Return how many documents hold each passage, by kind and text."""
    counts: Counter[tuple[str, str]] = Counter()
    for unit, some in zip(units, passages, strict=True):
        texts = unit.texts_D.to_pylist()
        documents_P = np.repeat(np.arange(len(texts)), np.diff(some.offsets_D1))
        rows = (documents_P, some.starts_P, some.ends_P, some.kinds_P, some.documents_P)
        columns = (row.tolist() for row in rows)
        for document, start, end, kind, held in zip(*columns, strict=True):
            counts[KINDS[kind], texts[document][start:end]] = held
    return counts


def print_speed(clocks: list[Clock], megabytes: float) -> None:
    """Print what each step took and wrote."""
    table = Table(caption=" ".join(["python -m benchmarks.speed.passages", *sys.argv[1:]]))
    for column in ("step", "MB/CPU-s", "ms/MB", "bytes written a byte of text"):
        table.add_column(column, justify="left" if column == "step" else "right")
    steps = {step: median(clock.seconds[step] for clock in clocks) for step in clocks[0].seconds}
    steps["all to mark"] = sum(seconds for step, seconds in steps.items() if "delete" not in step)
    steps["all to mark, without listing words"] = steps["all to mark"] - steps["list words"]
    for step, seconds in steps.items():
        written = clocks[0].bytes[step] / megabytes / 1e6
        table.add_row(
            step,
            f"{megabytes / seconds:.0f}",
            f"{seconds / megabytes * 1e3:.2f}",
            f"{written:.2f}" if written else "",
        )
    Console(width=100).print(table)


def print_passages(units: list[Unit], passages: list[Passages], left: int) -> None:
    """Print what was marked."""
    marked: defaultdict[str, int] = defaultdict(int)
    for unit, some in zip(units, passages, strict=True):
        for kind, chars in measure_marks(unit, some).items():
            marked[kind] += chars
    chars = sum(pa.compute.sum(pa.compute.utf8_length(unit.texts_D)).as_py() for unit in units)
    shares = ", ".join(f"{kind} {number / chars:.1%}" for kind, number in marked.items())
    print(f"characters marked: {shares}; deleted {1 - left / chars:.1%}")
    table = Table(title=f"the {MOST} most common passages of each kind")
    for column in ("documents", "kind", "characters", "passage"):
        table.add_column(column)
    counts = list_passages(units, passages)
    for kind in KINDS:
        held_by = Counter({text: held for (other, text), held in counts.items() if other == kind})
        for text, held in held_by.most_common(MOST):
            shown = " ".join(text.split())[:SHOWN]
            table.add_row(str(held), kind, str(len(text)), shown)
        table.add_section()
    Console(width=120, highlight=False, markup=False).print(table)


def main() -> None:
    """Print speed and passages."""
    megabytes = float(sys.argv[2]) if len(sys.argv) > 2 else 40.0
    batches = cut_units(list(dict.fromkeys(read_corpus(sys.argv[1], megabytes))))
    clocks = []
    for _ in range(ROUNDS + 1):
        clocks.append(Clock())
        units = find_units(batches, clocks[-1])
        passages = mark_units(units, clocks[-1])
        left = delete_units(units, clocks[-1])
    size = sum(text.nbytes for text in batches) / 1e6
    print(f"{Path(sys.argv[1]).name}: {size:.1f} MB, {sum(map(len, batches))} documents")
    print_speed(clocks[1:], size)
    print_passages(units, passages, left)


if __name__ == "__main__":
    main()
