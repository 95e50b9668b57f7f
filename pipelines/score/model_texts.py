"""The texts of a unit in the tokens of other people's models, and what these make of them, back.

What `trainer.scoring.carrier` asks for. A model's tokenizer encodes the kept texts, once a unit;
both tokenizations are aligned by bytes (`weighting.signals.alignment`).
"""

from collections.abc import Mapping, Sequence
from itertools import compress
from typing import NamedTuple, Protocol, Self

import numpy as np

from pipelines.tokenize.encoder import load_model_encoder
from pipelines.tokenize.places import find_bytes
from pipelines.tokenize.tokenize_unit import append_eos
from pipelines.tokenize.tokens import Documents
from weighting.array_tools import to_offsets
from weighting.arrays import AnyArray, Bools, Float64s, Int64s, Uint32s
from weighting.signals.alignment import Alignment, Placed, align
from weighting.vocabulary import Vocabulary


class ModelTokenizer(Protocol):
    """A model's tokenizer: its tokenizer.json, and the ids before and after a document."""

    @property
    def text(self) -> str: ...  # noqa: D102

    @property
    def begin_id(self) -> int: ...  # noqa: D102

    @property
    def end_id(self) -> int: ...  # noqa: D102


class Stream(NamedTuple):
    """D documents as M ids of a model, each with its end last; `begin_id` is read before each."""

    ids_M: Uint32s
    offsets_D1: Int64s
    begin_id: int


class ModelTexts:
    """D documents of N tokens of a run, to be read by models with tokenizers of their own.

    `shares_N` are the parts in which a stretch's worth is shared out among the run's tokens.
    """

    def __init__(
        self,
        texts: Sequence[str],
        run: Placed,
        shares_N: AnyArray,
        tokenizers: Mapping[str, ModelTokenizer],
    ) -> None:
        self._texts, self._run, self._shares_N = texts, run, shares_N
        self._tokenizers = tokenizers
        self._read: dict[str, tuple[Stream, Alignment]] = {}

    def choose(self, chosen_D: Bools) -> Self:
        """Return the same for some of the documents, in their order."""
        sizes_D = np.diff(self._run.offsets_D1)
        chosen_N = np.repeat(chosen_D, sizes_D)
        run = Placed(self._run.starts_N[chosen_N], to_offsets(sizes_D[chosen_D]))
        texts = [*compress(self._texts, chosen_D.tolist())]
        return type(self)(texts, run, self._shares_N[chosen_N], self._tokenizers)

    def stream(self, tokenizer: str) -> Stream:
        """Return the documents in a tokenizer's ids; it is named by its SHA-256."""
        return self._align(tokenizer)[0]

    def align(self, tokenizer: str) -> Alignment:
        """Return the alignment of the run's tokens with a tokenizer's."""
        return self._align(tokenizer)[1]

    def carry(self, tokenizer: str, values_M: AnyArray) -> Float64s:
        """Return values of a tokenizer's tokens as those of the run's; sums of documents stay."""
        return self.align(tokenizer).carry(values_M, self._shares_N)

    def _align(self, name: str) -> tuple[Stream, Alignment]:
        if name not in self._read:
            tokenizer = self._tokenizers[name]
            encoder = load_model_encoder(tokenizer.text, tokenizer.end_id)
            encoded = encoder.encode(self._texts)
            ended = append_eos(encoded, tokenizer.end_id)
            starts_M = find_bytes(
                ended.ids_N, ended.offsets_D1, encoded.places, self._texts, encoder.vocabulary
            )
            stream = Stream(ended.ids_N, ended.offsets_D1, tokenizer.begin_id)
            self._read[name] = stream, align(self._run, Placed(starts_M, ended.offsets_D1))
        return self._read[name]


def place_texts(
    documents: Documents,
    texts: Sequence[str],
    vocabulary: Vocabulary,
    shares_N: AnyArray,
    tokenizers: Mapping[str, ModelTokenizer],
) -> ModelTexts:
    """Return the texts of a unit's documents, in the order of these, for models to read."""
    starts_N = find_bytes(
        documents.ids_N, documents.offsets_D1, documents.places, texts, vocabulary
    )
    return ModelTexts(texts, Placed(starts_N, documents.offsets_D1), shares_N, tokenizers)
