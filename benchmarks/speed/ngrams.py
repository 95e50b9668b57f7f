"""N-gram counts and look-up against a bare sort of the same keys, one process each.

python -m benchmarks.speed.ngrams CORPUS [ORDER [MILLIONS]]    CORPUS as for `assay`; default 3 12

A byte-level BPE is trained on the corpus; its first documents, in random order and repeated where
there are too few, make so many million tokens. For each order, all stages of a run that counts
n-grams up to it: count (keys of every unit), merge, look up. The floor is np.sort of a unit's keys
of all these orders. The arms take turns.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from benchmarks.corpus import read_corpus
from benchmarks.interleave import Times, interleave, ratios
from pipelines.settings import Job
from pipelines.tokenize.encoder import Encoder
from pipelines.tokenize.ngram_counts import (
    count_partitions,
    count_unit,
    load_counted,
    measure_gain,
    merge_partition,
)
from pipelines.tokenize.tokenizer import train_tokenizer
from pipelines.tokenize.tokens import Documents
from pipelines.work.folder import WorkFolder
from weighting.arrays import Uint32s
from weighting.contracts.documents import DOCUMENTS, write_table
from weighting.signals.ngrams import list_keys
from weighting.vocabulary import Vocabulary

ROUNDS = 3
VOCAB = 16_384
UNIT = 1_500_000  # tokens: some 6 MB of text
TOKEN_BYTES = 4
SORT = "np.sort of the keys"


def encode(texts: list[str]) -> tuple[list[Uint32s], int]:
    """Return the ids of each text, an end-of-text token at the end, and that token."""
    with TemporaryDirectory() as name:
        path = Path(name, "documents.parquet")
        empty = {"metadata": "", "edits": [], "passages": [], "contaminated": []}
        rows = [
            {"doc_id": f"{i:032x}", "source": "", "locator": "", "text": text, **empty}
            for i, text in enumerate(texts)
        ]
        write_table(path, pa.Table.from_pylist(rows, schema=DOCUMENTS), DOCUMENTS)
        train_tokenizer([path], Path(name, "t.json"), VOCAB, 10_000_000)
        encoder = Encoder(Path(name, "t.json"))
    encoded, eos_id = encoder.encode(texts), encoder.vocabulary.eos_id
    pieces = np.split(encoded.ids_N, encoded.offsets_D1[1:-1])
    return [np.append(piece, np.uint32(eos_id)) for piece in pieces], eos_id


def cut_units(documents: list[Uint32s], tokens: int) -> list[Documents]:
    """Return units of about UNIT tokens, `tokens` in all, of documents in random order.

    All are for training.
    """
    rng = np.random.default_rng(0)
    units: list[Documents] = []
    while tokens > 0:
        order = rng.permutation(len(documents))
        ends = np.cumsum([len(documents[at]) for at in order])
        last = min(len(order), int(np.searchsorted(ends, tokens)) + 1)
        cuts = np.searchsorted(ends[:last], np.arange(UNIT, ends[last - 1], UNIT)) + 1
        for some in np.split(order[:last], cuts):
            pieces = [documents[at] for at in some]
            offsets_D1 = np.cumsum([0, *map(len, pieces)])
            names, train_D = pa.nulls(len(pieces), pa.string()), np.ones(len(pieces), bool)
            units.append(Documents(names, names, train_D, np.concatenate(pieces), offsets_D1))
        tokens -= int(ends[last - 1])
    return units


def build_arms(
    units: list[Documents], eos_id: int, order: int, job: Job
) -> dict[str, Callable[[], object]]:
    """Return what is timed; an arm needs what those before it left."""
    partitions = count_partitions(TOKEN_BYTES * sum(len(unit.ids_N) for unit in units))
    counts_V = sum(np.bincount(unit.ids_N, minlength=VOCAB) for unit in units)
    probability_V = np.asarray((counts_V + 1) / (np.sum(counts_V) + VOCAB))
    keys = [list(list_keys(unit.ids_N, unit.offsets_D1, eos_id, VOCAB, order)) for unit in units]

    def count() -> None:
        for uid, unit in enumerate(units):
            count_unit(uid, unit, Vocabulary([b""] * VOCAB, eos_id, frozenset(), None), order, job)

    def merge() -> None:
        for n in range(2, order + 1):
            for part in range(partitions):
                job.work.ngram_seldom[n][part].path.unlink(missing_ok=True)
        for n in range(2, order + 1):
            for part in range(partitions):
                merge_partition(n, part, partitions, range(len(units)), VOCAB, job)

    def look_up() -> None:
        counted = load_counted(partitions, order, job)
        for unit in units:
            measure_gain(unit, probability_V, eos_id, counted, job)

    return {
        SORT: lambda: [np.sort(some) for of_unit in keys for some in of_unit],
        "count": count,
        "merge": merge,
        "look up": look_up,
    }


def add_rows(table: Table, order: int, times: Times, tokens: int) -> None:
    """Add the rows of one order, and one of all three stages together."""
    stages = [values for name, values in times.items() if name != SORT]
    times = {**times, "all three": [sum(values) for values in zip(*stages, strict=True)]}
    for name, values in times.items():
        against = ratios(times, name, SORT)
        table.add_row(
            str(order) if name == SORT else "",
            name,
            f"{tokens / median(values) / 1e6:.2f}",
            f"{1e8 * median(values) / tokens:.1f}",
            f"{median(against):.2f} ({min(against):.2f} to {max(against):.2f})",
        )


def main() -> None:
    """Print the table."""
    order, millions = (int(text) for text in (*sys.argv[2:4], *("3", "12")[len(sys.argv) - 2 :]))
    documents, eos_id = encode(read_corpus(sys.argv[1], millions * TOKEN_BYTES * 1.2))
    units = cut_units(documents, millions * 10**6)
    tokens = sum(len(unit.ids_N) for unit in units)
    table = Table(
        title=f"n-grams of {tokens:,} tokens in {len(units)} units, {VOCAB:,} types",
        caption=" ".join(["python -m benchmarks.speed.ngrams", *sys.argv[1:]]),
    )
    for column in ("order", "stage", "M tokens/s", "s / 100 M tokens", "time / np.sort"):
        table.add_column(column, justify="left" if column == "stage" else "right")
    for highest in range(2, order + 1):
        with TemporaryDirectory() as name:
            arms = build_arms(units, eos_id, highest, Job(Path(name), WorkFolder(Path(name))))
            add_rows(table, highest, interleave(arms, ROUNDS), tokens)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
