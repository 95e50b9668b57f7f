"""The run's tokenizer: a byte-level BPE trained on its documents, or one that the user names."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from pipelines.tokenize.tokenizer_file import settle, write_config
from weighting.errors import AssayError
from weighting.storage.files import write_text
from weighting.vocabulary import CONFIG

END_OF_TEXT = "<|endoftext|>"
MIN_VOCAB = 257  # the 256 bytes and the end-of-text token


def train_tokenizer(
    documents: Sequence[Path], path: Path, vocab_size: int, sample_bytes: int
) -> None:
    """Train a byte-level BPE (GPT-2's pre-tokenizer) and write it to `path` as tokenizer.json.

    Beside it goes the configuration that names its end of text.

    It sees a sample of about `sample_bytes` of text: whole documents, chosen by their doc_id, so
    that the choice does not depend on order or workers.

    Raises:
        AssayError: there is no text, or the vocabulary cannot hold the 256 bytes.
    """
    if vocab_size < MIN_VOCAB:
        raise AssayError(f"tokenizer.vocab_size is {vocab_size}, must be at least {MIN_VOCAB}")
    total = sum(_count_bytes(document) for document in documents)
    if not total:
        raise AssayError("no text to train a tokenizer on: every document was dropped")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_sample(documents, sample_bytes / total), trainer)
    write_text(path, tokenizer.to_str(pretty=True))
    write_text(path.with_name(CONFIG), write_config(END_OF_TEXT))


def copy_tokenizer(source: Path, path: Path, end_of_text: str | None = None) -> None:
    """Write a tokenizer.json that the user names to `path`, settled, with its configuration.

    Raises:
        AssayError: it cannot be used; see `pipelines.tokenize.tokenizer_file`.
    """
    settled = settle(source, end_of_text)
    write_text(path, settled.text)
    write_text(path.with_name(CONFIG), settled.config)


def _count_bytes(path: Path) -> int:
    texts = pq.read_table(path, columns=["text"]).column("text")
    return int(pc.sum(pc.binary_length(texts)).as_py() or 0)


def _sample(documents: Sequence[Path], share: float) -> Iterator[str]:
    """Yield the texts of documents whose id, read as a number in [0, 1), is below `share`."""
    bound = f"{min(int(share * 16**8), 16**8 - 1):08x}" if share < 1 else "g"
    for path in documents:
        table = pq.read_table(path, columns=["doc_id", "text"])
        yield from table.filter(pc.less(table["doc_id"], bound)).column("text").to_pylist()
