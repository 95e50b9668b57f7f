"""MinHash signatures against datatrove's: same documents, same parameters, one process each.

python -m benchmarks.speed.minhash CORPUS [MB]    CORPUS as for `assay curate`

From texts to signatures in memory, with the defaults of both: 5-word shingles of the normalised
text, 14 bands of 8 rows, 64 bits. The arms take turns; here the vocabulary of words is forgotten
every time. MB/s is of CPU time. Both sides must find as many distinct shingles in every document
and draw the same hash functions.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import xxhash
from datatrove.pipeline.dedup import MinhashDedupSignature
from rich.console import Console
from rich.table import Table

from benchmarks.corpus import read_corpus
from benchmarks.interleave import measure
from pipelines.dedupe.minhash import draw_functions, sign
from pipelines.settings import NearSettings
from pipelines.text.word_hashes import list_words
from pipelines.words import Text, forget_words
from weighting.arrays import Int64s, Uint64s

ROUNDS = 3
REPEATS = 5  # of our arm in a round: one is over too soon to be measured well
BATCH = 400  # documents
NEAR = NearSettings()


def make_peer(folder: str) -> MinhashDedupSignature:
    """Return datatrove's step; it hands xxhash a string, which versions from 4 on refuse."""
    peer = MinhashDedupSignature(folder)
    peer._hash_func = lambda gram: xxhash.xxh64_intdigest(gram.encode())
    return peer


def sign_theirs(texts: list[str], peer: MinhashDedupSignature) -> list[Uint64s]:
    """Return the shingles of each text, having signed it with datatrove."""
    shingles = []
    for text in texts:
        shingles.append(peer.get_shingles(text))
        if len(shingles[-1]):
            peer.get_signature(shingles[-1])
    return shingles


def sign_ours(texts: list[str]) -> Int64s:
    """Return the number of distinct shingles of each text, having signed it here."""
    forget_words()
    counts = []
    for start in range(0, len(texts), BATCH):
        some = pa.array(texts[start : start + BATCH], pa.string())
        counts.append(np.diff(sign(list_words(Text.view(some)), NEAR).offsets_D1))
    return np.concatenate(counts)


def has_equal_functions(peer: MinhashDedupSignature) -> bool:
    """Say whether both sides draw the same hash functions."""
    ours = draw_functions(NEAR.bands * NEAR.rows, NEAR.seed)
    return all(np.array_equal(a, b[0]) for a, b in zip(ours, peer.parameters, strict=True))


def main() -> None:
    """Print the table."""
    path = sys.argv[1]
    texts = read_corpus(path, float(sys.argv[2]) if len(sys.argv) > 2 else 8.0)
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    speeds: dict[str, list[float]] = {"datatrove": [], "assay": []}
    with TemporaryDirectory() as folder:
        peer = make_peer(folder)
        sign_ours(texts[:BATCH])  # compile
        sign_theirs(texts[:2], peer)
        for _ in range(ROUNDS):
            seconds, runs = measure(lambda: [sign_ours(texts) for _ in range(REPEATS)])
            speeds["assay"].append(REPEATS * megabytes / seconds)
            seconds, shingles = measure(lambda: sign_theirs(texts, peer))
            speeds["datatrove"].append(megabytes / seconds)
        equal = has_equal_functions(peer)
    ours = runs[0]
    theirs = np.array([len(np.unique(some)) for some in shingles])
    print_speeds(f"{megabytes:.1f} MB of {Path(path).name}", speeds)
    different = np.flatnonzero(ours != theirs)
    print(f"{'the same' if equal else 'OTHER'} hash functions;", end=" ")
    print(f"{len(different)} of {len(texts)} documents differ in their number of distinct shingles")
    for at in different[:10]:
        print(f"document {at}: {ours[at]} here, {theirs[at]} there")


def print_speeds(title: str, speeds: Mapping[str, list[float]]) -> None:
    """Print MB a CPU-second of both arms, and their ratio round by round."""
    table = Table(title=f"MinHash signatures of {title}")
    for column in ("arm", "MB/CPU-s", "least", "most"):
        table.add_column(column, justify="left" if column == "arm" else "right")
    for name, values in speeds.items():
        table.add_row(name, *(f"{f(values):.3g}" for f in (median, min, max)))
    ratios = [a / b for a, b in zip(speeds["assay"], speeds["datatrove"], strict=True)]
    spread = f"{min(ratios):.0f} to {max(ratios):.0f}"
    table.caption = f"assay / datatrove: {median(ratios):.0f} ({spread})"
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
