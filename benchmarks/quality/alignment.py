"""How tokenizers lie to each other on real texts: sums carried between all pairs, and borders.

python -m benchmarks.quality.alignment TOKENIZER.json... -- CORPUS.jsonl.gz...

A tokenizer is a tokenizer.json; a corpus is JSON lines with a `text`, or a folder of Python
sources. For each pair, one as the run's and one as a model's: the share of stretches that are one
token of each, of those with more of either, the longest, and how far a document's sum of random
values is from what was carried of it, at most, as a share of the sum. Below, the stretches of a few
texts: `|` where both have a border, `·` where the run's alone has one, `'` where the model's alone.
"""

import sys
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.speed.pretrained import read_texts
from pipelines.score.model_texts import ModelTexts, Reader, place_texts
from pipelines.tokenize.encoder import load_model_encoder
from pipelines.tokenize.tokenize_unit import append_eos
from pipelines.tokenize.tokens import Documents
from weighting.arrays import Bools
from weighting.signals.alignment import Tally

MOST_TEXTS, MOST_CHARS = 200, 5_000  # of a corpus
END = 0  # any id will do
SHOWN = (
    "I put my ice cream in the microwave and then it melted.",
    "आइसक्रीम माइक्रोवेव में पिघल गई।",
    "아이스크림은 전자레인지에서 녹았다. 氷は溶けた。🍦",
    "def melt(ice):\n    return [drop for drop in ice if drop.is_cold()]",
)


def list_texts(corpus: Path) -> list[str]:
    """Return the first texts of a corpus, none of them empty."""
    if corpus.is_dir():
        found: Iterator[str] = (
            path.read_text("utf-8", "replace") for path in sorted(corpus.glob("*.py"))
        )
    else:
        found = read_texts(corpus)
    texts = (text[:MOST_CHARS] for text in found)
    return [text for _, text in zip(range(MOST_TEXTS), filter(None, texts), strict=False)]


def place(texts: list[str], run: Reader, model: Reader) -> tuple[Documents, ModelTexts]:
    """Return texts in the ids of a run, and their carrier, which knows one model."""
    encoded = run.encoder.encode(texts)
    tokens = append_eos(encoded, END)
    documents = Documents(
        [str(at) for at in range(len(texts))],
        [""] * len(texts),
        np.ones(len(texts), np.bool_),
        tokens.ids_N,
        tokens.offsets_D1,
        encoded.places,
    )
    shares_N = np.random.default_rng(0).random(len(tokens.ids_N))
    vocabulary = run.encoder.vocabulary
    return documents, place_texts(documents, texts, vocabulary, shares_N, {"model": model})


def measure(texts: list[str], run: Reader, model: Reader) -> tuple[Tally, float]:
    """Return the stretches of a pair, and the largest relative error of a document's sum."""
    documents, carrier = place(texts, run, model)
    stream = carrier.stream("model")
    values_M = np.random.default_rng(1).exponential(3.0, len(stream.ids_M))
    carried_N = carrier.carry("model", values_M)
    theirs = np.add.reduceat(values_M, stream.offsets_D1[:-1])
    ours = np.add.reduceat(carried_N, documents.offsets_D1[:-1])
    return carrier.align("model").tally(), float((np.abs(ours - theirs) / theirs).max())


def draw(text: str, run: Reader, model: Reader) -> str:
    """Return a text with the borders of a run's tokens and a model's between its characters."""
    ours, theirs = _find_borders(text, run), _find_borders(text, model)
    marks = np.select([ours & theirs, ours, theirs], ["|", "·", "'"], "")
    return "".join(f"{mark}{character}" for mark, character in zip(marks, text, strict=True))


def _find_borders(text: str, reader: Reader) -> Bools:
    """Return before which characters a token begins."""
    _, carrier = place([text], reader, reader)
    borders = np.zeros(len(text.encode()) + 1, np.bool_)
    borders[carrier.starts_N] = True
    firsts = np.cumsum([0, *(len(character.encode()) for character in text)])[:-1]
    return np.asarray(borders[firsts])


def main() -> None:
    """Print a table for each corpus, and the borders of a few texts."""
    split = sys.argv.index("--")
    tokenizers, corpora = map(Path, sys.argv[1:split]), map(Path, sys.argv[split + 1 :])
    readers = {
        path.stem: Reader(load_model_encoder(path.read_text("utf-8"), END), END, END)
        for path in tokenizers
    }
    console = Console(width=120)
    for corpus in corpora:
        texts = list_texts(corpus)
        table = Table(title=f"{corpus.name}: {len(texts):,} texts")
        for column in ("run", "model", "stretches", "1 : 1", "1 : n", "n : 1", "n : m", "longest"):
            table.add_column(column, justify="right")
        table.add_column("sums differ", justify="right")
        for ours, theirs in permutations(readers, 2):
            tally, error = measure(texts, readers[ours], readers[theirs])
            *kinds, longest = tally
            shares = [f"{count / sum(kinds):.1%}" for count in kinds]
            table.add_row(ours, theirs, f"{sum(kinds):,}", *shares, f"{longest:,}", f"{error:.0e}")
        console.print(table)
    first, *others = readers
    for text in SHOWN:
        for other in others:
            line = draw(text, readers[first], readers[other]).replace("\n", "⏎")
            console.print(f"{first} and {other}:  {line}", markup=False, highlight=False)


if __name__ == "__main__":
    main()
