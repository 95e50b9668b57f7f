"""Copies, passages and evaluation items planted in texts of many languages, and looked for.

python -m benchmarks.quality.languages OUT CORPUS.jsonl.gz... --languages zh ja th [--seed 1]

A corpus has a text and its language (`lang`) a line. The paragraphs of a language are shuffled.
GROUP of them make a document; a part is held back for evaluation items, and two joined by a space
are a notice. Planted are exact copies of documents; copies with one run of 5 % of their words
replaced; with 2 % and with 5 % of their words replaced one by one; notices in the midst of a
paragraph of three documents each; items in the midst of another paragraph. A word is a character
where the script has no spaces. All of it, all languages together, goes through `assay curate` as
one command, with its defaults but for the evaluation set; OUT gets corpus, recipe and run.

Paragraphs with MARKUP are left out: links and tags are the same in all languages.

Found of planted is printed, and false: clusters of different documents, items where they were not
planted, passages in documents without a notice whose copy is gone. Each word that is replaced by
itself breaks five shingles: with 5 % of them the similarity is about 0.63, below the bound, so none
of these is due.
"""

import argparse
import gzip
import json
import random
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import duckdb

from flows.database.shard_views import open_database
from pipelines.text.unspaced import MARK, SPACED, tabulate_unspaced

LEAST = 40  # characters of a paragraph
GROUP = 3  # paragraphs of a document
MARKUP = re.compile(r"[<>@\[\]_{}|]|http|:\w")
ITEMS, NOTICES, HOLDERS = 0.2, 0.1, 3
EDITS = {"exact": (0.0, False), "run": (0.05, True), "few": (0.02, False), "many": (0.05, False)}
COLUMNS = (*EDITS, "passages", "items")
RECIPE = """name = "languages"
[tokenizer]
vocab_size = 2000
[[decontaminate.sets]]
name = "planted"
path = "items.jsonl"
question = "question"
"""

Counts = dict[str, dict[str, int]]  # by language, then what


class Planted(NamedTuple):
    """A text of the corpus: its source says language, number of the document, and what was done."""

    language: str
    number: int
    kind: str
    text: str
    items: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """The name by which the ledger knows it."""
        return f"{self.language}:{self.number}:{self.kind}"


def read_paragraphs(paths: Sequence[Path], wanted: Sequence[str]) -> dict[str, list[str]]:
    """Return the different paragraphs of each language."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for path in paths:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for row in map(json.loads, file):
                if row["lang"] in wanted:
                    lines = [line.strip() for line in row["text"].splitlines()]
                    good = (x for x in lines if len(x) >= LEAST and not MARKUP.search(x))
                    found[row["lang"]] |= dict.fromkeys(good)
    return {language: list(found[language]) for language in wanted if found[language]}


def split(text: str) -> list[str]:
    """Return a text's words with the spaces after them, or its characters where it has none."""
    kinds = tabulate_unspaced()[[ord(character) for character in text]]
    if (kinds != SPACED).mean() < 1 / 3:
        return [f"{word} " for word in text.split(" ")]
    starts = [at for at, kind in enumerate(kinds) if kind != MARK or not at]
    return [text[start:end] for start, end in pairwise([*starts, len(text)])]


def edit(text: str, share: float, in_one: bool, rng: random.Random) -> str:
    """Return a text with a share of its words replaced by others of it."""
    words = split(text)
    count = round(share * len(words))
    start = rng.randrange(len(words) - count + 1)
    places = range(start, start + count) if in_one else rng.sample(range(len(words)), count)
    for place in places:
        words[place] = rng.choice(words)
    return "".join(words).rstrip(" ")


def insert(text: str, some: str, rng: random.Random) -> str:
    """Return a text with another in the midst of it."""
    words = split(text)
    place = rng.randrange(len(words) + 1)
    return f"{''.join(words[:place])} {some} {''.join(words[place:])}"


def plant(
    language: str, paragraphs: list[str], rng: random.Random
) -> tuple[list[Planted], list[str]]:
    """Return the texts of a language, and its evaluation items."""
    rng.shuffle(paragraphs)
    cut = round(ITEMS * len(paragraphs))
    items, rest = paragraphs[:cut], paragraphs[cut:]
    cut = 2 * round(NOTICES * len(rest) / 2)
    notices = [" ".join(rest[at : at + 2]) for at in range(0, cut, 2)]
    bodies = [rest[at : at + GROUP] for at in range(cut, len(rest) - GROUP + 1, GROUP)]
    places = {f"{language}-{at}": rng.randrange(len(bodies)) for at in range(0, len(items), 2)}
    holders = {
        at: rng.sample(range(len(bodies)), min(HOLDERS, len(bodies))) for at in range(len(notices))
    }
    planted = []
    for number, body in enumerate(bodies):
        held = [at for at in holders if number in holders[at]][:1]
        mine = tuple(name for name, place in places.items() if place == number)[:1]
        lines = list(body)
        for name in mine:
            item = items[int(name.rpartition("-")[2])]
            lines[0] = insert(lines[0], item, rng)
        for at in held:
            lines[1] = insert(lines[1], notices[at], rng)
        kind = f"document+{len(held)}"
        planted.append(Planted(language, number, kind, "\n".join(lines), mine))
    for number, original in enumerate(list(planted)):
        kind = list(EDITS)[number % len(EDITS)]
        text = edit(original.text, *EDITS[kind], rng)
        planted.append(original._replace(kind=kind, text=text))
    return planted, items


def write(out: Path, texts: Sequence[Planted], items: dict[str, list[str]]) -> None:
    """Write corpus, items and recipe."""
    out.mkdir(parents=True)
    with (out / "corpus.jsonl").open("w", encoding="utf-8") as file:
        for one in texts:
            file.write(json.dumps({"text": one.text, "source": one.source}) + "\n")
    with (out / "items.jsonl").open("w", encoding="utf-8") as file:
        for language, questions in items.items():
            for at, question in enumerate(questions):
                row = {"id": f"{language}-{at}", "question": question}
                file.write(json.dumps(row) + "\n")
    (out / "recipe.toml").write_text(RECIPE)


def whole(kind: str) -> bool:
    """Say whether the items of a text of a kind are whole."""
    return kind == "exact" or kind not in EDITS


def count_copies(connection: duckdb.DuckDBPyConnection, counts: Counts) -> None:
    """Count planted copies that share a cluster with their document, and clusters of several."""
    rows = connection.execute(
        "SELECT cluster, list(source) FROM ledger GROUP BY cluster"
    ).fetchall()
    for cluster, sources in rows:
        names = [source.split(":") for source in sources]
        if cluster is not None:
            for language, number, kind in names:
                pair = any(other[:2] == [language, number] and other[2] != kind for other in names)
                if kind in EDITS and pair:
                    counts[language][kind] += 1
            if len({(language, number) for language, number, _ in names}) > 1:
                counts[names[0][0]]["false copies"] += 1


def count_items(
    connection: duckdb.DuckDBPyConnection, texts: dict[str, Planted], counts: Counts
) -> None:
    """Count the items found where they were planted, and elsewhere."""
    query = "SELECT DISTINCT source, item FROM contamination WHERE verdict = 'kept'"
    for source, item in connection.execute(query).fetchall():
        one = texts[source]
        if item not in one.items:
            counts[one.language]["false items"] += 1
        elif whole(one.kind):
            counts[one.language]["items"] += 1


def count_passages(connection: duckdb.DuckDBPyConnection, counts: Counts) -> None:
    """Count the kept documents with a passage, and those with one that nothing explains."""
    query = "SELECT source, len(passages) > 0 FROM documents"
    rows = [(*source.split(":"), marked) for source, marked in connection.execute(query).fetchall()]
    alike = Counter((language, number) for language, number, *_ in rows)
    for language, number, kind, marked in rows:
        if marked and kind == "document+1":
            counts[language]["passages"] += 1
        elif marked and alike[language, number] == 1 and kind == "document+0":
            counts[language]["false passages"] += 1


def count_planted(texts: Sequence[Planted], kept: set[str]) -> Counts:
    """Count what there is to find."""
    counts: Counts = defaultdict(lambda: defaultdict(int))
    for one in texts:
        if one.kind in EDITS:
            counts[one.language][one.kind] += 1
        elif one.kind.endswith("1") and one.source in kept:
            counts[one.language]["passages"] += 1
        counts[one.language]["items"] += len(one.items) * whole(one.kind) * (one.source in kept)
        counts[one.language]["documents"] += one.kind.startswith("document")
    return counts


def tabulate(planted: Counts, found: Counts) -> Iterator[str]:
    """Yield the lines of the table, in Markdown."""
    names = ("language", "documents", *COLUMNS, "false: copies", "passages", "items")
    yield f"| {' | '.join(names)} |"
    yield "|---" * len(names) + "|"
    for language, there in planted.items():
        got = found[language]
        cells = [f"{got[name]} of {there[name]}" for name in COLUMNS]
        wrong = [str(got[f"false {name}"]) for name in ("copies", "passages", "items")]
        yield f"| {language} | {there['documents']} | {' | '.join([*cells, *wrong])} |"


def main() -> None:
    """Plant, run the command, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("corpora", type=Path, nargs="+")
    parser.add_argument("--languages", nargs="+", required=True)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    texts, items = [], {}
    for language, paragraphs in read_paragraphs(options.corpora, options.languages).items():
        some, items[language] = plant(language, paragraphs, rng)
        texts += some
    write(options.out, texts, items)
    run, recipe = options.out / "run", options.out / "recipe.toml"
    command = ["curate", options.out / "corpus.jsonl", "--out", run, "--recipe", recipe]
    subprocess.run([sys.executable, "-m", "flows", *map(str, command)], check=True)
    found: Counts = defaultdict(lambda: defaultdict(int))
    with open_database(run) as connection:
        query = "SELECT source FROM ledger WHERE verdict = 'kept'"
        kept = {source for (source,) in connection.execute(query).fetchall()}
        count_copies(connection, found)
        count_items(connection, {one.source: one for one in texts}, found)
        count_passages(connection, found)
    print("\n".join(tabulate(count_planted(texts, kept), found)))


if __name__ == "__main__":
    main()
