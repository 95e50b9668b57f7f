"""A large corpus of distinct text, made from a small one.

python -m benchmarks.synthesize CORPUS OUT MEGABYTES [COPIES]    CORPUS as for `assay curate`

A document is a random walk through the words of the corpus: it goes on with the next word, or,
one time in eight, with what follows another occurrence of the same word. So it reads naturally for
some words and is a copy of nothing. One word in fifty is new, as names and numbers are. Of all
documents the share COPIES, by default none, are near copies of one of the 1,000 before: one word in
fifty is another. Files hold about 16 MB each, as JSON lines.
"""

import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import orjson

from pipelines.readers.read import read_records
from weighting.arrays import Int64s

FILE_BYTES = 16_000_000
SOURCE_BYTES = 24_000_000  # of the corpus are used
JUMP, NEW = 1 / 8, 1 / 50
EARLIER = 1000  # documents of which copies are made
MEAN_WORDS = 400  # of a document
LETTERS = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz", np.uint8)


def read_words(corpus: str) -> list[str]:
    """Return the words of a corpus, each with the white space that follows it."""
    words: list[str] = []
    size = 0
    for _, record in read_records([corpus]):
        if size >= SOURCE_BYTES:
            break
        size += len(record.text)
        for line in record.text.split("\n"):
            words += [f"{word} " for word in line.split()]
            if words:
                words[-1] = words[-1].rstrip() + "\n"
    return words


def list_occurrences(words: list[str]) -> tuple[Int64s, Int64s, Int64s]:
    """Return for N words where their like begin and end in `order`, and `order` itself [N]."""
    _, kinds = np.unique(np.array([word.strip() for word in words]), return_inverse=True)
    order = np.argsort(kinds, kind="stable")
    counts = np.bincount(kinds)
    ends = np.cumsum(counts)
    return (ends - counts)[kinds], ends[kinds], order


def walk(words: list[str], steps: int, streams: int, seed: int) -> Iterator[list[str]]:
    """Yield `streams` lists of words, each a random walk."""
    generator = np.random.default_rng(seed)
    starts, ends, order = list_occurrences(words)
    at = generator.integers(0, len(words) - 1, streams)
    path = np.empty((steps, streams), np.int64)
    for step in range(steps):
        path[step] = at
        jump = generator.random(streams) < JUMP
        low, high = starts[at[jump]], ends[at[jump]]
        at[jump] = order[low + (generator.random(len(low)) * (high - low)).astype(np.int64)]
        at = (at + 1) % len(words)
    for stream in range(streams):
        found = [words[place] for place in path[:, stream]]
        yield renew(found, generator)


def renew(words: list[str], generator: np.random.Generator) -> list[str]:
    """Return the words, some of them replaced by words that never were."""
    words = list(words)
    for place in np.flatnonzero(generator.random(len(words)) < NEW):
        fresh = generator.choice(LETTERS, 8).tobytes().decode()
        words[place] = fresh + words[place][-1]
    return words


def write_corpus(corpus: str, out: Path, megabytes: int, copies: float = 0.0) -> None:
    """Write about so many MB of text into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    words = read_words(corpus)
    mean = sum(map(len, words)) / len(words)
    streams = int(FILE_BYTES / MEAN_WORDS / mean)
    generator = np.random.default_rng(0)
    earlier: deque[list[str]] = deque(maxlen=EARLIER)
    for number in range(max(1, round(megabytes * 1e6 / FILE_BYTES))):
        with (out / f"{number:04d}.jsonl").open("wb") as file:
            for distinct in walk(words, MEAN_WORDS, streams, number):
                found = distinct
                if earlier and generator.random() < copies:
                    found = renew(earlier[int(generator.integers(len(earlier)))], generator)
                earlier.append(found)
                file.write(orjson.dumps({"text": "".join(found).strip()}) + b"\n")


if __name__ == "__main__":
    write_corpus(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), *map(float, sys.argv[4:5]))
