"""Two tokenizers, one text: what a scorer asks of whoever has the texts.

A model of others reads by a tokenizer of its own. The scorer asks for its documents in that
tokenizer's ids, and hands what the model makes of them back, to be carried to the run's tokens.
"""

import hashlib
from typing import NamedTuple, Protocol

from weighting.arrays import AnyArray, Float64s, Int64s


class ModelTokenizer(NamedTuple):
    """A model's tokenizer: its tokenizer.json, and what it reads before and after a document."""

    text: str
    begin_id: int
    end_id: int
    size: int  # one more than the largest id

    @property
    def sha256(self) -> str:
        """The SHA-256 of the two ids and the tokenizer.json: of all that decides what is read."""
        whole = f"{self.begin_id} {self.end_id}\n{self.text}"
        return hashlib.sha256(whole.encode()).hexdigest()


class Stream(NamedTuple):
    """D documents as M ids, one behind the other, each with its end-of-text token last.

    `begin_id` is the input before a document's first token.
    """

    ids_M: AnyArray
    offsets_D1: Int64s
    begin_id: int


class Carrier(Protocol):
    """Has the same D documents in the ids of several tokenizers, named by their SHA-256."""

    def stream(self, tokenizer: str) -> Stream:
        """Return the documents in a tokenizer's ids."""

    def carry(self, tokenizer: str, values_M: AnyArray) -> Float64s:
        """Return values of a tokenizer's tokens as those of the run's; sums of documents stay."""
