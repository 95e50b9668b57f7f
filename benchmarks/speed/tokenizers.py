"""Tokenizers of others on texts in many scripts: same ids and places as the library, marks, cost.

python -m benchmarks.speed.tokenizers FOLDER CORPUS...

Every tokenizer.json below FOLDER encodes all texts of CORPUS (as for `assay curate`) in a process
of its own: as a run does, and by `tokenizers` alone with special tokens matched nowhere. Then an
evaluation item is planted in a composed and in a decomposed text, and the tokens that are marked
have to be those of the item. CPU seconds are of encoding; the memory is the process's at its peak.
"""

import resource
import sys
import tempfile
import time
import unicodedata
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table
from tokenizers import Tokenizer

from pipelines.readers.read import read_records
from pipelines.score.marks import mark_tokens
from pipelines.tokenize.encoder import Encoder
from pipelines.tokenize.places import find_characters
from pipelines.tokenize.tokenize_unit import append_eos
from pipelines.tokenize.tokenizer import copy_tokenizer
from weighting.contracts.documents import DOCUMENTS
from weighting.errors import AssayError

PROSE = "Tiếng Việt là ngôn ngữ có thanh điệu; các dấu thanh được viết trên nguyên âm. "
ITEM = "Hỏi: dấu nào viết trên nguyên âm? Đáp: dấu thanh."
HEADS = (
    *("tokenizer", "tokens", "other ids", "other places", "marks", "CPU s", "MB/s"),
    *("tokenizers CPU s", "encoders", "peak MB"),
)


class Outcome(NamedTuple):
    """What one tokenizer did; `refused` is why it did nothing."""

    name: str
    refused: str = ""
    tokens: int = 0
    other_ids: int = 0  # texts
    other_places: int = 0  # texts whose places are not the library's offsets
    marked: str = ""
    encoders: str = ""
    seconds: float = 0.0
    library: float = 0.0
    memory: int = 0


def read_texts(corpus: list[str]) -> list[str]:
    """Return all texts of a corpus."""
    return [record.text for _, record in read_records(corpus)]


def measure(path: Path, corpus: list[str]) -> Outcome:
    """Encode a corpus by the tokenizer at `path`, and compare."""
    name, texts = str(path.parent), read_texts(corpus)
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder, "tokenizer.json")
        try:
            copy_tokenizer(path, written)
        except AssayError as error:
            return Outcome(name, str(error))
        encoder = Encoder(written)
    begun = time.process_time()
    encoded = encoder.encode(texts)
    seconds = time.process_time() - begun
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    starts_N = locate(encoder, texts)
    authority = Tokenizer.from_file(str(path))
    authority.no_truncation()
    authority.no_padding()
    authority.encode_special_tokens = True
    other_ids = other_places = 0
    library = 0.0
    bounds = pairwise((encoded.offsets_D1 + np.arange(len(texts) + 1)).tolist())
    ids = pairwise(encoded.offsets_D1.tolist())
    for text, (a, b), (first, end) in zip(texts, ids, bounds, strict=True):
        begun = time.process_time()
        theirs = authority.encode(text, add_special_tokens=False)
        library += time.process_time() - begun
        other_ids += theirs.ids != encoded.ids_N[a:b].tolist()
        other_places += [start for start, _ in theirs.offsets] != starts_N[first : end - 1].tolist()
    return Outcome(
        name, "", len(encoded.ids_N), other_ids, other_places, judge_marks(encoder),
        " ".join(sorted(encoded.used)), seconds, library, memory,
    )  # fmt: skip


def locate(encoder: Encoder, texts: list[str]) -> np.ndarray:
    """Return the first character of every token of texts, ends of text included."""
    encoded = encoder.encode(texts)
    ended = append_eos(encoded, encoder.vocabulary.eos_id)
    known = encoded.places
    return find_characters(ended.ids_N, ended.offsets_D1, known, texts, encoder.vocabulary)


def judge_marks(encoder: Encoder) -> str:
    """Say whether the marked tokens of a composed and a decomposed text are those of the item."""
    verdicts = []
    for form in ("NFC", "NFD"):
        before, item, after = (unicodedata.normalize(form, part) for part in (PROSE, ITEM, PROSE))
        text = before * 20 + item + " " + after * 5
        starts_N = locate(encoder, [text])
        span = {"start": len(before) * 20, "end": len(before) * 20 + len(item)}
        plain = {"doc_id": "", "source": "", "locator": "", "metadata": "{}", "edits": []}
        row = {**plain, "text": text, "passages": [], "contaminated": [span]}
        kept = pa.Table.from_pylist([row], schema=DOCUMENTS)
        marks = mark_tokens(kept, starts_N, np.array([0, len(starts_N)])).contaminated_N
        marked = np.flatnonzero(marks)
        under = text[starts_N[marked[0]] : starts_N[marked[-1] + 1]]
        verdicts.append(item in under and len(under) <= len(item) + 2)
    return "both" if all(verdicts) else f"NFC {verdicts[0]}, NFD {verdicts[1]}"


def main() -> None:
    """Measure every tokenizer and print the table."""
    folder, *corpus = sys.argv[1:]
    paths = sorted(Path(folder).rglob("tokenizer.json"))
    texts = read_texts(corpus)
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    table = Table(title=f"{megabytes:.1f} MB, {len(texts)} documents")
    for head in HEADS:
        table.add_column(head, justify="left" if head == HEADS[0] else "right")
    for path in paths:
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            one = pool.submit(measure, path, corpus).result()
        name = str(Path(one.name).relative_to(folder))
        print(one, flush=True)
        if one.refused:
            table.add_row(name, f"refused: {one.refused}")
            continue
        counts = (f"{one.tokens:,}", str(one.other_ids), str(one.other_places), one.marked)
        cost = (f"{one.seconds:.1f}", f"{megabytes / one.seconds:.1f}", f"{one.library:.1f}")
        table.add_row(name, *counts, *cost, one.encoders, f"{one.memory / 1e6:,.0f}")
    Console(width=170).print(table)


if __name__ == "__main__":
    main()
