"""The encoder against `tokenizers`, its authority: same ids, time.

python -m benchmarks.speed.encode [CORPUS]    CORPUS as for `assay curate`; default python-docs:10
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import tiktoken

from benchmarks.interleave import interleave, print_times
from pipelines.readers.read import read_records
from pipelines.tokenize.encoder import Encoder
from pipelines.tokenize.tokenizer import train_tokenizer
from weighting.contracts.documents import DOCUMENTS, write_table

ROUNDS = 5
VOCAB = 16_384
GPT2_PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
TEXT_BYTES = 10_000_000


def read_texts(corpus: str) -> list[str]:
    """Return texts of a corpus, about TEXT_BYTES of them."""
    texts: list[str] = []
    size = 0
    for _, record in read_records([corpus]):
        texts.append(record.text)
        size += len(record.text)
        if size > TEXT_BYTES:
            break
    return texts


def build_tiktoken(encoder: Encoder) -> tiktoken.Encoding:
    """Return a tiktoken encoding with the merges and the pre-tokenizer of `encoder`."""
    vocabulary = encoder.vocabulary
    ranks = {
        token: index for index, token in enumerate(vocabulary.tokens) if index != vocabulary.eos_id
    }
    return tiktoken.Encoding("same", pat_str=GPT2_PATTERN, mergeable_ranks=ranks, special_tokens={})


def main() -> None:
    """Train a tokenizer on the corpus, check ids, time both encoders on one thread's worth."""
    texts = read_texts(sys.argv[1] if len(sys.argv) > 1 else "python-docs:10")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain = {"source": "", "locator": "", "metadata": "{}"}
        marks: dict[str, list[object]] = {"edits": [], "passages": [], "contaminated": []}
        rows = [
            {"doc_id": f"{i:032x}", "text": text, **plain, **marks} for i, text in enumerate(texts)
        ]
        table = pa.Table.from_pylist(rows, schema=DOCUMENTS)
        write_table(folder / "documents.parquet", table, DOCUMENTS)
        train_tokenizer([folder / "documents.parquet"], folder / "t.json", VOCAB, TEXT_BYTES)
        fast, slow = Encoder(folder / "t.json"), Encoder(folder / "t.json", fast=False)
        same = np.array_equal(fast.encode(texts).ids_N, slow.encode(texts).ids_N)
        peer = build_tiktoken(fast)
        arms = {
            "tokenizers encode_batch_fast": lambda: slow.encode(texts),
            "tiktoken, same merges": lambda: peer.encode_ordinary_batch(texts),
            "assay, check included": lambda: fast.encode(texts),
        }
        times = interleave(arms, ROUNDS)
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    title = f"encoding {megabytes:.1f} MB, {len(texts)} documents; ids equal: {same}"
    print_times(title, times, "tokenizers encode_batch_fast", megabytes)


if __name__ == "__main__":
    main()
