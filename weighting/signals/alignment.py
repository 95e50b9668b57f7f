"""Two tokenizations of one text: values of the tokens of one, carried to those of the other.

A border is a place where a token of each begins. Between two borders lies a *stretch*: the smallest
run of tokens that both tokenizations share. Most stretches are one token of each. An end of text
has a place of its own, so it is a stretch, by itself unless all of a text is in no token.

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
from typing import NamedTuple

import numpy as np

from weighting.array_tools import expand_ranges, find_runs
from weighting.arrays import AnyArray, Float64s, Int64s


class Tally(NamedTuple):
    """How many stretches there are, by how many tokens of the run and of the model they hold."""

    one_to_one: int
    one_to_many: int
    many_to_one: int
    many_to_many: int
    longest: int  # most tokens of either in a stretch


@dataclass(frozen=True, eq=False)
class Alignment:
    """The stretches of D documents, S in all, of N tokens of the run and M of the model.

    Every token is in one stretch, and every stretch has tokens of both.
    """

    firsts_S: Int64s  # the first token of the run in each stretch
    others_S: Int64s  # the first token of the model
    bytes_N: Int64s  # of each token of the run, those of its end of text 0
    tokens: int  # M

    @property
    def stretches(self) -> int:
        """How many stretches there are, S."""
        return len(self.firsts_S)

    @cached_property
    def sizes_Sx2(self) -> Int64s:
        """Tokens of the run and of the model in each stretch, int64 [S, 2]."""
        sizes_S = np.diff(self.firsts_S, append=len(self.bytes_N))
        return np.stack([sizes_S, np.diff(self.others_S, append=self.tokens)], 1)

    @cached_property
    def stretch_N(self) -> Int64s:
        """The stretch that each token of the run lies in, int64 [N]."""
        return np.repeat(np.arange(self.stretches), self.sizes_Sx2[:, 0])

    @cached_property
    def stretch_M(self) -> Int64s:
        """The stretch that each token of the model lies in, int64 [M]."""
        return np.repeat(np.arange(self.stretches), self.sizes_Sx2[:, 1])

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

    def tally(self) -> Tally:
        """Count the stretches by their sizes."""
        ours_S, theirs_S = (self.sizes_Sx2 > 1).T
        return Tally(
            one_to_one=int((~ours_S & ~theirs_S).sum()),
            one_to_many=int((~ours_S & theirs_S).sum()),
            many_to_one=int((ours_S & ~theirs_S).sum()),
            many_to_many=int((ours_S & theirs_S).sum()),
            longest=int(self.sizes_Sx2.max(initial=0)),
        )


def align(starts_N: Int64s, offsets_D1: Int64s, starts_M: Int64s, others_D1: Int64s) -> Alignment:
    """Return the alignment of two tokenizations of the same D documents.

    `starts` are the places in bytes at which tokens begin in their documents, in order; the last
    token of each document is its end of text, which begins where the text ends. `offsets_D1` are
    those of the documents among the run's tokens, `others_D1` among the model's.

    Tokens that begin at one place, such as pieces of a character, are one by one as the other's
    where both have the same number of them there, else together. Bytes may be in no token: they
    belong to the token before, at the beginning of a text to the one after.

    Raises:
        ValueError: the two are not of the same texts.
    """
    sizes_D = starts_N[offsets_D1[1:] - 1]
    if not np.array_equal(sizes_D, starts_M[others_D1[1:] - 1]):
        raise ValueError("two tokenizations of different texts")
    places_P, firsts_P, counts_P = _find_places(starts_N, offsets_D1)
    places_Q, firsts_Q, counts_Q = _find_places(starts_M, others_D1)
    _, at_B, other_B = np.intersect1d(places_P, places_Q, assume_unique=True, return_indices=True)
    counts_B = np.where(counts_P[at_B] == counts_Q[other_B], counts_P[at_B], 1)
    firsts_S = expand_ranges(firsts_P[at_B], counts_B)
    others_S = expand_ranges(firsts_Q[other_B], counts_B)
    # What stands before the first border of a document belongs to its first stretch.
    stretch_D = np.searchsorted(firsts_S, offsets_D1[:-1])
    firsts_S[stretch_D], others_S[stretch_D] = offsets_D1[:-1], others_D1[:-1]
    bytes_N = np.diff(starts_N, append=0)
    bytes_N[offsets_D1[1:] - 1] = 0
    return Alignment(firsts_S, others_S, bytes_N, len(starts_M))


def _find_places(starts_N: Int64s, offsets_D1: Int64s) -> tuple[Int64s, Int64s, Int64s]:
    """Return the P places at which tokens begin, the first token at each, and how many, int64 [P].

    Places count on from document to document, and an end of text stands behind all places of text.
    """
    ends_D = offsets_D1[1:] - 1
    lengths_D = starts_N[ends_D] + 2
    places_N = starts_N + np.repeat(np.cumsum(lengths_D) - lengths_D, np.diff(offsets_D1))
    places_N[ends_D] += 1
    firsts_P, counts_P = find_runs(places_N)
    return places_N[firsts_P], firsts_P, counts_P
