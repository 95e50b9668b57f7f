"""Encoding text to token ids: a fast encoder, checked against `tokenizers`, the authority.

Text is text: where a document spells out a special token ("<|endoftext|>"), its characters are
encoded like any others, or a document could forge the mark that ends documents. So both encoders
work without the tokenizer's added tokens.
"""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gigatoken
import numpy as np
from tokenizers import Tokenizer

from pipelines.tokenize.tokenizer import find_end_of_text
from weighting.arrays import Int64s, Uint32s
from weighting.bytelevel import count_bytes, list_bytes

CHECK_EVERY = 50  # one document in so many is encoded by `tokenizers` as well
CHECK_CHARS = 20_000  # of each such document
AUTHORITY, FAST = "tokenizers", "gigatoken"

log = logging.getLogger(__name__)


class Encoded(NamedTuple):
    """D texts as one flat array of N ids (uint32) and D + 1 offsets (int64)."""

    ids_N: Uint32s
    offsets_D1: Int64s


class Encoder:
    """Encodes batches of text. `used` names the encoders that made the ids so far."""

    def __init__(self, path: Path, fast: bool = True) -> None:
        text = path.read_text(encoding="utf-8")
        named = Tokenizer.from_str(text)
        self.eos_id = find_end_of_text(named, str(path))
        self.vocab_size = int(named.get_vocab_size())
        self.tokens = list_bytes(named.get_vocab(), self.vocab_size)
        self.bytes_V = count_bytes(self.tokens)
        self.used: set[str] = set()
        plain = json.dumps(json.loads(text) | {"added_tokens": []})
        self._authority = Tokenizer.from_str(plain)
        self._fast = _load_fast(plain) if fast else None

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Return the ids of D texts, exactly as `tokenizers` gives them.

        A sample of the texts (every CHECK_EVERY-th, its beginning) is encoded both ways; on any
        difference the whole batch is done by `tokenizers` and a warning is logged.
        """
        if self._fast is not None:
            sample = [text[:CHECK_CHARS] for text in texts[::CHECK_EVERY]]
            if _equal(self._encode_fast(sample), self._encode_slow(sample)):
                self.used.add(FAST)
                return self._encode_fast(texts)
            log.warning("%s differs from %s on this text; using the latter", FAST, AUTHORITY)
        self.used.add(AUTHORITY)
        return self._encode_slow(texts)

    def _encode_fast(self, texts: Sequence[str]) -> Encoded:
        if not texts:
            return Encoded(np.empty(0, np.uint32), np.zeros(1, np.int64))
        assert self._fast is not None
        layout = self._fast.encode_batch(list(texts), parallel=False).layout
        offsets = np.asarray(layout.offsets.data, np.int64)
        ids = np.asarray(layout.content.data, np.uint32)
        return Encoded(ids[offsets[0] : offsets[-1]], offsets - offsets[0])

    def _encode_slow(self, texts: Sequence[str]) -> Encoded:
        encodings = self._authority.encode_batch_fast(list(texts), add_special_tokens=False)
        offsets = np.cumsum([0, *(len(encoding) for encoding in encodings)])
        parts = [np.array(encoding.ids, np.uint32) for encoding in encodings]
        return Encoded(np.concatenate([np.empty(0, np.uint32), *parts]), offsets)


def _load_fast(tokenizer: str) -> Any:  # noqa: ANN401 - the library has no types
    """Load the fast encoder; None, with a warning, where it does not support the tokenizer."""
    try:
        return gigatoken.Tokenizer.from_json(tokenizer)
    except Exception as error:  # compiled code: any refusal means the slow way
        log.warning("%s cannot take this tokenizer (%s); using %s", FAST, error, AUTHORITY)
        return None


def _equal(one: Encoded, other: Encoded) -> bool:
    return np.array_equal(one.ids_N, other.ids_N) and np.array_equal(
        one.offsets_D1, other.offsets_D1
    )
