"""Two tokenizations of one text: values of the tokens of one, carried to those of the other.

A border is a place where a token of each begins. Between two borders lies a *stretch*: the smallest
run of tokens that both tokenizations share. Most stretches are one token of each.

    run's tokens     I | put | my | ice | cream | in | the | micro | wave
    model's tokens   I | put | my | ice | cream | in | the | microwave
                                                             └ stretch ┘

The sum of a stretch's values belongs to all of it. It is shared out among the run's tokens in
proportion to shares that the caller gives, so sums over stretches and documents are equal under
both. With what n-gram counts say each token is worth as shares, the second half of a word, which
its first half tells, gets next to nothing.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from weighting.arrays import AnyArray, Float64s, Int64s


@dataclass(frozen=True, eq=False)
class Alignment:
    """The stretches of D documents, S in all, of N tokens of the run and M of the model."""

    stretch_N: Int64s  # the stretch that each token of the run lies in
    stretch_M: Int64s
    bytes_N: Int64s  # of each token of the run, those of its end of text 0
    stretches: int

    def carry(self, values_M: AnyArray, shares_N: AnyArray) -> Float64s:
        """Return values of the model's tokens as values of the run's, float64 [N].

        `shares_N` are ≥ 0. Where all of a stretch are 0, bytes are the shares; where there are
        none, the tokens share alike. One token that is a stretch by itself gets the sum, exactly.
        """
        sums_S = np.bincount(self.stretch_M, values_M, self.stretches)
        return np.asarray(sums_S[self.stretch_N] * self._divide(shares_N), np.float64)

    def _divide(self, shares_N: AnyArray) -> Float64s:
        """Return the part of its stretch's sum that each token of the run gets, float64 [N]."""
        wanted_N = np.asarray(shares_N, np.float64)
        for instead_N in (self.bytes_N, np.ones(len(self.bytes_N))):
            wanted_N = np.where(self._sum(wanted_N) > 0, wanted_N, instead_N)
        return wanted_N / self._sum(wanted_N)

    def _sum(self, values_N: AnyArray) -> Float64s:
        """Return for each token of the run the sum over its stretch."""
        sums_S = np.bincount(self.stretch_N, values_N, self.stretches)
        return np.asarray(sums_S[self.stretch_N], np.float64)

    @cached_property
    def sizes_Sx2(self) -> Int64s:
        """Tokens of the run and of the model in each stretch, int64 [S, 2]."""
        counts = [
            np.bincount(part, minlength=self.stretches) for part in (self.stretch_N, self.stretch_M)
        ]
        return np.stack(counts, 1).astype(np.int64)


def align(starts_N: Int64s, offsets_D1: Int64s, starts_M: Int64s, others_D1: Int64s) -> Alignment:
    """Return the alignment of two tokenizations of the same D documents.

    `starts` are the places in bytes at which tokens begin in their documents, in order; the last
    token of each document is its end of text, which begins where the text ends. `offsets_D1` are
    those of the documents among the run's tokens, `others_D1` among the model's. A token may hold
    no byte, and bytes may be in no token: they belong to the token before.

    Raises:
        ValueError: the two are not of the same texts.
    """
    ends_D = starts_N[offsets_D1[1:] - 1]
    if not np.array_equal(ends_D, starts_M[others_D1[1:] - 1]):
        raise ValueError("two tokenizations of different texts")
    # One line of places for all documents, each a place longer than its text: none meets the next.
    bases_D = np.cumsum(ends_D + 1) - (ends_D + 1)
    places_N = starts_N + np.repeat(bases_D, np.diff(offsets_D1))
    places_M = starts_M + np.repeat(bases_D, np.diff(others_D1))
    borders_S = np.intersect1d(places_N, places_M)
    bytes_N = np.diff(starts_N, append=0)
    bytes_N[offsets_D1[1:] - 1] = 0
    return Alignment(
        np.searchsorted(borders_S, places_N, side="right") - 1,
        np.searchsorted(borders_S, places_M, side="right") - 1,
        bytes_N,
        len(borders_S),
    )
