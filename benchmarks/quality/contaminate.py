"""Decontamination: evaluation items are planted in a corpus, whole and altered, and looked for.

python -m benchmarks.quality.contaminate CORPUS LAMBADA.jsonl.gz HELLASWAG.jsonl.gz [SEED]

CORPUS is as for `assay curate`. Each item is put between two lines of a document of at most LONGEST
characters, anew for each kind of alteration, and is found when that document has a hit for that
very item. Intervals are Wilson's, 95 %.

- marked: share of the planted characters that spans cover, mean over the items found; outside: the
  characters that they cover beside the plants, in all;
- wrong: hits for another item that has no n-gram in common with the planted one. Where two items
  are cut from one text, a hit for the other is right and not counted;
- false alarms: documents of the corpus as it is that have a hit. The pairs of document and item
  that score best, hits or not, are printed with both texts: only a reader can tell whether the
  corpus holds the item indeed.
"""

import math
import random
import re
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import pyarrow as pa
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from pipelines.contamination.hits import list_contaminated, tabulate_hits
from pipelines.contamination.index import Index, build_index
from pipelines.contamination.items import Item, read_items
from pipelines.contamination.scan import scan
from pipelines.readers.read import read_records
from pipelines.settings import ContaminationSettings, EvaluationSet
from pipelines.text.word_hashes import list_words
from pipelines.words import Text

LONGEST = 50_000  # characters of a document that gets a plant
BATCH = 200  # documents scanned at a time
SHOWN, SHOWN_CHARS = 10, 220
WORDS, SHARES = (8, 10, 13), (0.1, 0.3, 0.5, 0.7, 0.8)
CURLY = "\N{RIGHT SINGLE QUOTATION MARK}"
CHANGED = str.maketrans({",": ";", ".": "!", '"': "“", "'": CURLY, "-": "—", "?": "…", ":": " -"})
CONSOLE = Console(width=150)

Row = dict[str, Any]
Related = set[tuple[str, str, str, str]]  # set and id of one item, and of another


class Plant(NamedTuple):
    """A document with an item in it, at characters [start, end)."""

    item: Item
    text: str
    start: int
    end: int


class Find(NamedTuple):
    """What became of a plant: the score of its item, hits for unrelated ones, what is marked."""

    item: Item
    score: float
    wrong: int
    marked: float
    outside: int


class Search(NamedTuple):
    """What a scan found: rows (`tables.HITS`) and spans of each document; its CPU seconds."""

    rows: list[list[Row]]
    spans: list[list[Row]]
    listing: float
    scanning: float


def cut(text: str, start: float, end: float) -> str:
    """Return a stretch of the text's words, with the white space between them."""
    words = re.findall(r"\S+\s*", text)
    return "".join(words[round(start * len(words)) : max(1, round(end * len(words)))]).rstrip()


def replace_words(text: str, rng: random.Random) -> str:
    """Return the text with one word in ten, but one at least, replaced by an unknown one."""
    words = re.findall(r"\S+\s*", text)
    for place in rng.sample(range(len(words)), max(1, len(words) // 10)):
        letters = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=7))
        words[place] = re.sub(r"\S+", letters, words[place])
    return "".join(words)


KINDS: Mapping[str, Callable[[str, random.Random], str]] = {
    "whole": lambda text, _: text,
    "first 75 %": lambda text, _: cut(text, 0, 0.75),
    "first 50 %": lambda text, _: cut(text, 0, 0.5),
    "first 25 %": lambda text, _: cut(text, 0, 0.25),
    "last 50 %": lambda text, _: cut(text, 0.5, 1),
    "upper case": lambda text, _: text.upper(),
    "lower case": lambda text, _: text.lower(),
    "punctuation removed": lambda text, _: re.sub(r"[^\w\s]", "", text),
    "punctuation to spaces": lambda text, _: re.sub(r"[^\w\s]", " ", text),
    "punctuation changed": lambda text, _: text.translate(CHANGED),
    "re-wrapped": lambda text, rng: "\n".join(textwrap.wrap(text, rng.randint(30, 80))),
    "1 word in 10 replaced": replace_words,
}
QUESTION_ALONE = "question alone"


def read_corpus(corpus: str) -> list[str]:
    """Return the texts of a corpus."""
    return [record.text for _, record in read_records([corpus])]


def plant_items(
    items: Sequence[Item], documents: Sequence[str], kind: str, seed: int
) -> Iterator[Plant]:
    """Yield for each item a document with the altered item between two of its lines."""
    rng = random.Random(f"{seed} {kind}")
    for item in items:
        lines = rng.choice(documents).split("\n")
        place = rng.randint(0, len(lines))
        alone = kind == QUESTION_ALONE
        text = item.question if alone else KINDS[kind](item.texts[0], rng)
        before = "".join(f"{line}\n" for line in lines[:place])
        after = "".join(f"\n{line}" for line in lines[place:])
        yield Plant(item, f"{before}{text}{after}", len(before), len(before) + len(text))


def search(texts: Sequence[str], index: Index, settings: ContaminationSettings) -> Search:
    """Return what is found in the texts."""
    found = Search([[] for _ in texts], [], 0.0, 0.0)
    for first in range(0, len(texts), BATCH):
        batch = texts[first : first + BATCH]
        array = pa.array(batch, pa.string())
        start = time.process_time()
        text = Text.view(array)
        word_hashes = list_words(text)
        middle = time.process_time()
        hits = scan(text, word_hashes, index, settings)
        end = time.process_time()
        found = found._replace(
            listing=found.listing + middle - start, scanning=found.scanning + end - middle
        )
        numbers = [str(number) for number in range(first, first + len(batch))]
        for row in tabulate_hits(hits, numbers, array, index).to_pylist():
            found.rows[int(row["doc_id"])].append(row)
        found.spans.extend(list_contaminated(hits, index).to_pylist())
    return found


def relate(items: Sequence[Item], index: Index, settings: ContaminationSettings) -> Related:
    """Return the pairs of items that have n-grams in common."""
    found = search([item.texts[0] for item in items], index, replace(settings, share=0.0))
    return {
        (item.set, item.id, row["set"], row["item"])
        for item, rows in zip(items, found.rows, strict=True)
        for row in rows
    }


def judge(plant: Plant, rows: list[Row], spans: list[Row], related: Related) -> Find:
    """Return what became of a plant."""
    name, number = plant.item.set, plant.item.id
    scores = {(row["set"], row["item"]): row["score"] for row in rows}
    inside = sum(
        max(0, min(span["end"], plant.end) - max(span["start"], plant.start)) for span in spans
    )
    return Find(
        plant.item,
        scores.get((name, number), 0.0),
        sum((name, number, *other) not in related for other in scores),
        inside / (plant.end - plant.start),
        sum(span["end"] - span["start"] for span in spans) - inside,
    )


def look_for(
    plants: Sequence[Plant], index: Index, settings: ContaminationSettings, related: Related
) -> list[Find]:
    """Return what became of the plants."""
    found = search([plant.text for plant in plants], index, settings)
    return [judge(*each, related) for each in zip(plants, found.rows, found.spans, strict=True)]


def estimate(count: int, total: int) -> str:
    """Return a share in per cent with Wilson's 95 % interval."""
    z = 1.96
    share, scale = count / total, 1 + z * z / total
    centre = (share + z * z / (2 * total)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return f"{share:.2%} ({max(0, centre - half):.2%} to {min(1, centre + half):.2%})"


def print_recall(
    finds: Mapping[str, list[Find]], sets: Sequence[EvaluationSet], title: str
) -> None:
    """Print by kind and set what the settings find."""
    table = Table(title=title)
    for column in ("planted", "set", "found", "marked", "outside", "wrong"):
        table.add_column(column, justify="right" if column not in ("planted", "set") else "left")
    for kind, all_finds in finds.items():
        for wanted in sets:
            ours = [find for find in all_finds if find.item.set == wanted.name]
            found = [find for find in ours if find.score > 0]
            marked = f"{sum(find.marked for find in found) / len(found):.1%}" if found else ""
            table.add_row(
                kind,
                wanted.name,
                estimate(len(found), len(ours)),
                marked,
                f"{sum(find.outside for find in ours)}",
                f"{sum(find.wrong for find in ours)}",
            )
    CONSOLE.print(table)


def print_grid(
    scores: Mapping[int, Mapping[tuple[str, str], list[float]]],
    alarms: Mapping[int, list[Row]],
    documents: int,
) -> None:
    """Print the recall, and the false alarms, for n-grams of other lengths and for other shares."""
    title = "per cent found, by words of an n-gram / least share"
    table = Table(title=title, box=SIMPLE, padding=(0, 1, 0, 0))
    columns = [(words, share) for words in scores for share in SHARES]
    for column in ("planted", "set", *(f"{words}/{share}" for words, share in columns)):
        table.add_column(column, justify="right" if "/" in column else "left", no_wrap=True)
    for row in next(iter(scores.values())):
        found = [
            sum(score >= share for score in scores[words][row]) / len(scores[words][row])
            for words, share in columns
        ]
        table.add_row(*row, *(f"{100 * share:.1f}" for share in found))
    counts = [
        len({row["doc_id"] for row in alarms[words] if row["score"] >= share})
        for words, share in columns
    ]
    table.add_row("false alarms", f"of {documents}", *map(str, counts))
    pairs = [str(len(alarms[words])) if share == SHARES[0] else "" for words, share in columns]
    table.add_row("any n-gram", "pairs", *pairs)
    CONSOLE.print(table)


def print_alarms(rows: list[Row], documents: int, share: float) -> None:
    """Print how many documents of the corpus have a hit, and the pairs that score best."""
    alarmed = {row["doc_id"] for row in rows if row["score"] >= share}
    CONSOLE.print(
        f"documents with a false alarm: {len(alarmed)}, {estimate(len(alarmed), documents)}"
    )
    for row in sorted(rows, key=lambda row: -row["score"])[:SHOWN]:
        item = f"{row['question']} || {row['answer']}"
        CONSOLE.print(f"{row['score']:.3f} document {row['doc_id']}, {row['set']}:{row['item']}")
        for side, text in {"document": row["passage"], "item": item}.items():
            CONSOLE.print(f"  {side}: {text[:SHOWN_CHARS]!r}", markup=False, highlight=False)


def main() -> None:
    """Print recall and false alarms at the default settings, then those of others."""
    corpus, lambada, hellaswag = sys.argv[1:4]
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    sets = (
        EvaluationSet("lambada", lambada, "context", "target"),
        EvaluationSet("hellaswag", hellaswag, "ctx", "endings", "label"),
    )
    settings = ContaminationSettings(sets=sets)
    items, documents = read_items(sets), read_corpus(corpus)
    hosts = [document for document in documents if len(document) <= LONGEST]
    planted = {
        kind: list(plant_items(items, hosts, kind, seed)) for kind in (*KINDS, QUESTION_ALONE)
    }
    scores: dict[int, dict[tuple[str, str], list[float]]] = {}
    alarms: dict[int, list[Row]] = {}
    for words in WORDS:
        tried = replace(settings, words=words)
        index = build_index(items, tried)
        related = relate(items, index, tried)
        found = search(documents, index, replace(tried, share=0.0))
        alarms[words] = [row for rows in found.rows for row in rows]
        scores[words] = {}
        finds = {kind: look_for(plants, index, tried, related) for kind, plants in planted.items()}
        for kind, plants in planted.items():
            for find in look_for(plants, index, replace(tried, share=0.0), related):
                scores[words].setdefault((kind, find.item.set), []).append(find.score)
        if words == settings.words:
            size = sum(len(document.encode()) for document in documents) / 1e6
            CONSOLE.print(" ".join(["python -m benchmarks.quality.contaminate", *sys.argv[1:]]))
            CONSOLE.print(
                f"{len(documents)} documents, {size:.1f} MB; {len(items)} items, "
                f"{len(index.hidden)} of them cannot be found; list_words "
                f"{size / found.listing:.0f}, scan {size / found.scanning:.0f} MB per CPU-second"
            )
            print_recall(finds, sets, f"{words} words, share {settings.share}")
            print_alarms(alarms[words], len(documents), settings.share)
    print_grid(scores, alarms, len(documents))
    CONSOLE.print(f"{WORDS[0]} words, share {settings.share}:")
    print_alarms(alarms[WORDS[0]], len(documents), settings.share)


if __name__ == "__main__":
    main()
