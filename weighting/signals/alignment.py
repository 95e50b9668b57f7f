"""Two tokenizers, one text: values of one's tokens carried to the tokens of the other.

    run's tokens     | The | ice | cream | melt | ed | end |
    model's tokens   | The | ice cream   | mel | ted | end |
    stretches        | 1   | 2           | 3         | 4   |

A *stretch* is the smallest run of tokens that both share: it begins where a token of each begins.
What the model's tokens of a stretch are worth together is shared out among the run's tokens of it.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from weighting.array_tools import expand_ranges
from weighting.arrays import AnyArray, Float64s, Int64s


class Placed(NamedTuple):
    """Where N tokens of D documents begin, one document behind the other, int64 [N] and [D+1].

    Places are bytes of the document's text, in order. The last token of a document is its end of
    text, whose place is the length of the text.
    """

    starts_N: Int64s
    offsets_D1: Int64s


class Tally(NamedTuple):
    """How many stretches there are, by how many tokens of the run and of the model they hold."""

    one_to_one: int
    one_to_many: int
    many_to_one: int
    many_to_many: int
    longest: int  # most tokens of either in a stretch

    @property
    def stretches(self) -> int:
        """How many there are in all."""
        return self.one_to_one + self.one_to_many + self.many_to_one + self.many_to_many


@dataclass(frozen=True, eq=False)
class Alignment:
    """The S stretches of N tokens of a run and M of a model: the first token of each, by both.

    Every token is in one stretch, and every stretch holds at least one token of either.
    `bytes_N` are the bytes of text that the run's tokens stand for.
    """

    run_S: Int64s
    model_S: Int64s
    sizes_S: Int64s  # tokens of the run
    model_sizes_S: Int64s
    bytes_N: Int64s

    @cached_property
    def stretch_N(self) -> Int64s:
        """The stretch of each token of the run, int64 [N]."""
        return np.repeat(np.arange(len(self.sizes_S)), self.sizes_S)

    def carry(self, values_M: AnyArray, shares_N: AnyArray) -> Float64s:
        """Return values of the model's tokens as values of the run's, float64 [N].

        The sum over a stretch is shared out in proportion to `shares_N` (≥ 0): what is known of
        the run's tokens without the model. Where they are all 0, by bytes; where there are no
        bytes, equally. A run's token that has a stretch for itself gets the sum as it is.
        """
        if not len(self.run_S):
            return np.empty(0, np.float64)
        sums_S = np.add.reduceat(np.asarray(values_M, np.float64), self.model_S)
        parts_N = np.asarray(shares_N, np.float64)
        for instead_N in (self.bytes_N, np.ones(len(parts_N))):
            empty_S = np.add.reduceat(parts_N, self.run_S) <= 0
            parts_N = np.where(empty_S[self.stretch_N], instead_N, parts_N)
        whole_S = np.add.reduceat(parts_N, self.run_S)
        return np.asarray(sums_S[self.stretch_N] * (parts_N / whole_S[self.stretch_N]))

    def tally(self) -> Tally:
        """Count the stretches by their sizes."""
        joined_S, model_joined_S = self.sizes_S > 1, self.model_sizes_S > 1
        return Tally(
            one_to_one=int((~joined_S & ~model_joined_S).sum()),
            one_to_many=int((~joined_S & model_joined_S).sum()),
            many_to_one=int((joined_S & ~model_joined_S).sum()),
            many_to_many=int((joined_S & model_joined_S).sum()),
            longest=int(max(self.sizes_S.max(initial=0), self.model_sizes_S.max(initial=0))),
        )


def align(run: Placed, model: Placed) -> Alignment:
    """Return the alignment of the same D documents in a run's tokens and in a model's.

    Tokens that begin at one place (pieces of a character, or a mark without text) are taken as
    one, or one by one where both have the same number of them there. What one of the two leaves
    out of the text is of the token before it; at the beginning of a text, of the one behind it.
    """
    places_A, firsts_A, counts_A = _find_places(run)
    places_B, firsts_B, counts_B = _find_places(model)
    _, of_A, of_B = np.intersect1d(places_A, places_B, assume_unique=True, return_indices=True)
    repeats_P = np.where(counts_A[of_A] == counts_B[of_B], counts_A[of_A], 1)
    run_S, model_S = (
        expand_ranges(firsts_A[of_A], repeats_P),
        expand_ranges(firsts_B[of_B], repeats_P),
    )
    first_D = np.searchsorted(run_S, run.offsets_D1[:-1])  # each document's first stretch
    run_S[first_D], model_S[first_D] = run.offsets_D1[:-1], model.offsets_D1[:-1]
    bytes_N = np.diff(run.starts_N, append=0)
    bytes_N[run.offsets_D1[1:] - 1] = 0
    return Alignment(
        run_S,
        model_S,
        np.diff(run_S, append=len(run.starts_N)),
        np.diff(model_S, append=len(model.starts_N)),
        bytes_N,
    )


def _find_places(placed: Placed) -> tuple[Int64s, Int64s, Int64s]:
    """Return the P places at which tokens begin, the first token there, and how many, int64 [P].

    Places count on from document to document, and an end of text has a place of its own.
    """
    starts_N, offsets_D1 = placed
    ends_D = offsets_D1[1:] - 1
    sizes_D = starts_N[ends_D] + 2
    starts_N = starts_N + np.repeat(np.cumsum(sizes_D) - sizes_D, np.diff(offsets_D1))
    starts_N[ends_D] += 1
    return np.unique(starts_N, return_index=True, return_counts=True)
