"""A unit's texts as models of others read them: in ids of their own, carried back by bytes."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from pipelines.tokenize.encoder import Encoder, load_model_encoder
from pipelines.tokenize.places import find_bytes
from pipelines.tokenize.tokenize_unit import append_eos
from pipelines.tokenize.tokens import Documents
from weighting.array_tools import to_offsets
from weighting.arrays import AnyArray, Bools, Float64s, Int64s, Uint32s
from weighting.signals.alignment import Alignment, align
from weighting.vocabulary import Vocabulary


class ModelTokenizer(Protocol):
    """A model's tokenizer; see `trainer.scoring.carrier`."""

    @property
    def text(self) -> str:
        """Its tokenizer.json."""

    @property
    def begin_id(self) -> int:
        """What the model reads before a document's first token."""

    @property
    def end_id(self) -> int:
        """What it reads behind its last."""


class Reader(NamedTuple):
    """Encodes texts as a model reads them."""

    encoder: Encoder
    begin_id: int
    end_id: int


class Stream(NamedTuple):
    """Documents in a model's ids; see `trainer.scoring.carrier`."""

    ids_M: Uint32s
    offsets_D1: Int64s
    begin_id: int


def load_readers(tokenizers: Mapping[str, ModelTokenizer]) -> dict[str, Reader]:
    """Return what encodes by each tokenizer, named by their SHA-256.

    Raises:
        AssayError: as `pipelines.tokenize.tokenizer_file.settle_model`.
    """
    return {
        name: Reader(load_model_encoder(one.text, one.end_id), one.begin_id, one.end_id)
        for name, one in tokenizers.items()
    }


class ModelTexts:
    """The carrier of a unit's documents (`trainer.scoring.carrier.Carrier`).

    `shares_N` say what each of the run's N tokens is worth among those of its stretch.
    """

    def __init__(
        self,
        texts: Sequence[str],
        starts_N: Int64s,
        offsets_D1: Int64s,
        shares_N: AnyArray,
        readers: Mapping[str, Reader],
    ) -> None:
        self._texts, self._starts_N, self._offsets_D1 = texts, starts_N, offsets_D1
        self._shares_N, self._readers = shares_N, readers
        self._read: dict[str, tuple[Stream, Alignment]] = {}

    def choose(self, chosen_D: Bools) -> "ModelTexts":
        """Return the carrier of some of the documents, in their order."""
        sizes_D = np.diff(self._offsets_D1)
        chosen_N = np.repeat(chosen_D, sizes_D)
        return ModelTexts(
            [text for text, chosen in zip(self._texts, chosen_D.tolist(), strict=True) if chosen],
            self._starts_N[chosen_N],
            to_offsets(sizes_D[chosen_D]),
            self._shares_N[chosen_N],
            self._readers,
        )

    def stream(self, tokenizer: str) -> Stream:
        """Return the documents in a tokenizer's ids."""
        return self._find(tokenizer)[0]

    def carry(self, tokenizer: str, values_M: AnyArray) -> Float64s:
        """Return values of a tokenizer's tokens as those of the run's; sums of documents stay."""
        return self.align(tokenizer).carry(values_M, self._shares_N)

    def align(self, tokenizer: str) -> Alignment:
        """Return how the run's tokens and a tokenizer's lie to each other."""
        return self._find(tokenizer)[1]

    def _find(self, tokenizer: str) -> tuple[Stream, Alignment]:
        if tokenizer not in self._read:
            encoder, begin_id, end_id = self._readers[tokenizer]
            encoded = encoder.encode(self._texts)
            tokens = append_eos(encoded, end_id)
            starts_M = find_bytes(
                tokens.ids_N,
                tokens.offsets_D1,
                encoded.places,
                [text.encode() for text in self._texts],
                encoder.vocabulary,
            )
            aligned = align(self._starts_N, self._offsets_D1, starts_M, tokens.offsets_D1)
            self._read[tokenizer] = Stream(tokens.ids_N, tokens.offsets_D1, begin_id), aligned
        return self._read[tokenizer]


def place_texts(
    documents: Documents,
    texts: Sequence[str],
    vocabulary: Vocabulary,
    shares_N: AnyArray,
    readers: Mapping[str, Reader],
) -> ModelTexts:
    """Return the carrier of a unit's documents, given their texts."""
    starts_N = find_bytes(
        documents.ids_N,
        documents.offsets_D1,
        documents.places,
        [text.encode() for text in texts],
        vocabulary,
    )
    return ModelTexts(texts, starts_N, documents.offsets_D1, shares_N, readers)
