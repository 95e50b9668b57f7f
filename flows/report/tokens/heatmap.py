"""Sample documents, token by token: what each token weighs, what each signal says, and why."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from glob import escape
from itertools import chain, groupby, zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from flows.report.figures import show_percent
from flows.report.tokens.scales import Distribution, Scale, name_classes
from flows.report.tokens.sidecars import Vocabulary, find_sidecar, read_texts
from flows.report.tokens.token_texts import quote, show_tokens, spell
from weighting.arrays import AnyArray, Float32s, Int32s, Uint8s
from weighting.contracts.reasons import Reason, name_flags
from weighting.contracts.shard_files import open_batches
from weighting.contracts.sidecar import Sidecar
from weighting.errors import BrokenContract
from weighting.signals.trajectory import CLASSES, classify

DOCUMENTS = 12
OPEN = 3  # of them are shown at once; the others are there to be chosen
TOKENS = 300  # of each document, from its beginning
SHORT = 64  # tokens; shorter documents are shown only where a unit has no other
# The class of a flagged token, in the style sheet.
MARKS: Mapping[Reason, str] = {
    Reason.RARE: "R",
    Reason.GOLDEN: "G",
    Reason.DUPLICATE_SPAN: "D",
    Reason.CONTAMINATED: "C",
}
SPECIAL = "end"  # the class of a token that is no text, so no part of a line from right to left
MARKED = [(mark, str(flag.name).lower().replace("_", " ")) for flag, mark in MARKS.items()]


@dataclass(frozen=True, eq=False)
class Glass:
    """What tokens are looked at through: the scales of the columns, and what is said of them.

    `mean_nll` is that of the train split, None where the run has no reference.
    """

    vocabulary: Vocabulary
    scales: Sequence[Scale]
    distributions: Mapping[str, Distribution]
    mean_nll: float | None


class Cell(NamedTuple):
    """One token: its text, the classes of its shades and marks, and its story."""

    text: str
    classes: str
    note: str


class Sample(NamedTuple):
    """The beginning of a kept document, and what holds of all of its `length` tokens."""

    source: str
    locator: str
    doc_id: str
    split: str
    length: int
    mean_weight: float
    golden_share: float
    cells: list[Cell]


class Choice(NamedTuple):
    """A document that was chosen, and the stem of the files of its unit."""

    unit: str
    doc_id: str
    source: str
    locator: str
    split: str

    @property
    def stem(self) -> str:
        """The stem of its shard and its sidecar."""
        return f"{self.split}-{self.unit}"


class Passage(NamedTuple):
    """The beginning of a document as columns of N tokens; some are None without a sidecar.

    `texts` is what stands at each token; without a sidecar, what its type is spelled as.
    """

    ids_N: AnyArray
    weights_N: Float32s
    reasons_N: Uint8s
    signals: Mapping[str, Float32s]
    copies_N: Int32s | None
    starts_N: Int32s | None
    texts: list[str]


def read_samples(
    connection: duckdb.DuckDBPyConnection, run: Path, glass: Glass, selected: bool
) -> list[Sample]:
    """Return up to DOCUMENTS documents, spread over sources and splits, always the same.

    `selected` says that the shards may lack documents that were kept.
    """
    choices = choose(connection, run, selected)
    samples: dict[str, Sample] = {}
    for stem, group in groupby(sorted(choices, key=lambda one: one.stem), lambda one: one.stem):
        sidecar, chosen = find_sidecar(run, stem), list(group)
        texts = read_texts(run, chosen[0].unit, [choice.doc_id for choice in chosen])
        for choice, text in zip(chosen, texts, strict=True):
            row = _find_row(run / "shards" / f"{stem}.arrow", choice.doc_id)
            passage = _cut(choice.doc_id, row, text, sidecar, glass)
            samples[choice.doc_id] = _draw(choice, passage, row, glass)
    return [samples[choice.doc_id] for choice in choices]


def choose(connection: duckdb.DuckDBPyConnection, run: Path, selected: bool) -> list[Choice]:
    """Return the documents to show: sources and splits take turns, and so do their units."""
    groups = connection.execute(
        """
        SELECT source, split, list(DISTINCT filename ORDER BY filename)
        FROM read_parquet(?, filename = true, hive_partitioning = false) WHERE verdict = 'kept'
        GROUP BY source, split ORDER BY count(*) DESC, source, split LIMIT ?
        """,
        [f"{escape(str(run))}/ledger/*.parquet", DOCUMENTS],
    ).fetchall()
    queues = [
        _list_documents(connection, run, source, split, ledgers, selected)
        for source, split, ledgers in groups
    ]
    turns = chain.from_iterable(zip_longest(*queues))
    return [one for one in turns if one is not None][:DOCUMENTS]


def _list_documents(
    connection: duckdb.DuckDBPyConnection,
    run: Path,
    source: str,
    split: str,
    ledgers: Sequence[str],
    selected: bool,
) -> list[Choice]:
    """Return up to DOCUMENTS documents: smallest ids, which are hashes, of units far apart."""
    spread = sorted({ledgers[at * len(ledgers) // DOCUMENTS] for at in range(DOCUMENTS)})
    if selected:
        connection.register("selected", _list_selected(run, split, spread))
    rows = connection.execute(
        f"""
        SELECT filename, doc_id, source, locator, split
        FROM read_parquet(?, filename = true, hive_partitioning = false)
        WHERE verdict = 'kept' AND source = ? AND split = ?
            {"AND doc_id IN (SELECT doc_id FROM selected)" if selected else ""}
        ORDER BY
            row_number() OVER (PARTITION BY filename ORDER BY tokens < ?, doc_id), filename
        LIMIT ?
        """,
        [[*map(escape, spread)], source, split, SHORT, DOCUMENTS],
    ).fetchall()
    return [Choice(Path(filename).stem, *rest) for filename, *rest in rows]


def _list_selected(run: Path, split: str, ledgers: Sequence[str]) -> pa.Table:
    """Return the doc_ids in the shards that belong to these ledgers."""
    paths = [run / "shards" / f"{split}-{Path(ledger).stem}.arrow" for ledger in ledgers]
    there = ds.dataset(
        [path for path in paths if path.exists()],
        format="ipc",
        schema=pa.schema([("doc_id", pa.string())]),
    )
    return there.to_table()


def _find_row(shard: Path, doc_id: str) -> dict[str, Any]:
    """Return a document's row of a memory-mapped shard, as Arrow scalars."""
    for batch in open_batches(shard, ["doc_id", "input_ids", "weights", "reasons"]).batches:
        at = pc.index(batch.column("doc_id"), doc_id).as_py()
        if at >= 0:
            return {name: batch.column(name)[at] for name in batch.schema.names}
    raise BrokenContract(f"{shard}: lacks document {doc_id}, which the ledger says was kept")


def _draw(choice: Choice, passage: Passage, row: Mapping[str, Any], glass: Glass) -> Sample:
    notes = _join(passage.texts, _tell(passage, glass))
    cells = map(Cell, passage.texts, _classify(passage, glass), notes)
    weights_M, reasons_M = (row[name].values.to_numpy() for name in ("weights", "reasons"))
    return Sample(
        choice.source,
        choice.locator,
        choice.doc_id,
        choice.split,
        len(weights_M),
        float(np.mean(weights_M, dtype=np.float64)),
        float(np.mean(reasons_M & Reason.GOLDEN > 0)),
        list(cells),
    )


def _cut(
    doc_id: str, row: Mapping[str, Any], text: str, sidecar: Sidecar | None, glass: Glass
) -> Passage:
    """Return the first TOKENS of a document's columns, from its shard and its sidecar."""
    ids_N, weights_N, reasons_N = (
        row[name].values[:TOKENS].to_numpy() for name in ("input_ids", "weights", "reasons")
    )
    if sidecar is None:
        signals = glass.vocabulary.list_signals(ids_N, {})
        texts = spell(glass.vocabulary.list_pieces(ids_N))
        return Passage(ids_N, weights_N, reasons_N, signals, None, None, texts)
    at = pc.index(sidecar.doc_ids, doc_id).as_py()
    start, end = sidecar.offsets_D1[at : at + 2].tolist()
    here = slice(start, start + len(ids_N))
    stored = {name: values_N[here] for name, values_N in sidecar.signals.items()}
    return Passage(
        ids_N,
        weights_N,
        reasons_N,
        glass.vocabulary.list_signals(ids_N, stored),
        sidecar.copies_N[here],
        sidecar.starts_N[here],
        show_tokens(text, ids_N, sidecar.starts_N[start:end], glass.vocabulary),
    )


def _classify(passage: Passage, glass: Glass) -> Iterator[str]:
    """Yield the classes of each token: its weight's shade, its signals' unless special, marks."""
    weight, *others = glass.scales
    shades = name_classes([weight], {weight.name: passage.weights_N})
    told = name_classes(others, passage.signals) or [""] * len(shades)
    for shade, rest, flags in zip(shades, told, passage.reasons_N.tolist(), strict=True):
        marks = [mark for flag, mark in MARKS.items() if flags & flag]
        own = SPECIAL if flags & Reason.SPECIAL else rest
        yield " ".join(filter(None, [shade, own, *marks]))


def _tell(passage: Passage, glass: Glass) -> Iterator[str]:
    """Yield the story of each token: what hovering over it, or clicking on it, shows."""
    pieces = glass.vocabulary.list_pieces(passage.ids_N)
    signals = _describe_signals(passage, glass)
    marks = _describe_marks(passage)
    paths = _describe_trajectories(passage, glass.mean_nll)
    for at, (piece, index, weight, flags) in enumerate(
        zip(pieces, *(column.tolist() for column in passage[:3]), strict=True)
    ):
        special = bool(flags & Reason.SPECIAL)
        head = f"{quote(piece, passage.texts[at])}  token {index} at {at}{marks[at]}"
        named = ", ".join(name_flags(flags)).replace("_", " ") or "no flags"
        told = [] if special else [*signals[at], *paths[at]]
        yield "\n".join([head, f"weight {weight:.3f}", *told, named])


def _join(texts: Sequence[str], stories: Iterable[str]) -> list[str]:
    """Return the stories, each with those of the tokens that only go on with its character."""
    notes = list(stories)
    for at in range(len(notes) - 1, 0, -1):
        if not texts[at]:
            notes[at - 1] += f"\n\n{notes[at]}"
    return notes


def _describe_signals(passage: Passage, glass: Glass) -> list[list[str]]:
    """Return for each token a line a signal: value and the share of the corpus below it."""
    columns = [
        [
            f"{name} {value:.2f} ({show_percent(rank)})"
            for value, rank in zip(
                passage.signals[name].tolist(),
                spread.rank(passage.signals[name]).tolist(),
                strict=True,
            )
        ]
        for name, spread in glass.distributions.items()
        if name in passage.signals
    ]
    return [[column[at] for column in columns] for at in range(len(passage.ids_N))]


def _describe_marks(passage: Passage) -> list[str]:
    if passage.copies_N is None or passage.starts_N is None:
        return [""] * len(passage.ids_N)
    return [
        f", character {start}" + (f", in {copies:,} documents" if copies > 1 else "")
        for start, copies in zip(passage.starts_N.tolist(), passage.copies_N.tolist(), strict=True)
    ]


def _describe_trajectories(passage: Passage, mean_nll: float | None) -> list[list[str]]:
    """Return for each token what its loss did, where the reference has several checkpoints."""
    if mean_nll is None or not {"change", "nll"} <= set(passage.signals):
        return [[]] * len(passage.ids_N)
    codes_N = classify(passage.signals["change"], passage.signals["nll"], mean_nll)
    return [[f"trajectory {CLASSES[code]}"] for code in codes_N.tolist()]
