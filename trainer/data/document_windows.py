"""Windows over documents: what a model of a fixed context sees when it scores each document alone.

A document that fits into the context is one window. A longer one is cut into windows of `context`
targets, one every `stride`. The first scores all of its targets, each later one those that the
window before it did not reach: so every target is scored exactly once, and sees either all of its
document so far or more than `context - stride` inputs.

A window may start anywhere in a document, and its first token has position 0: all our models know
distances only (RoPE, ALiBi, recurrences) and are trained on windows that start anywhere, so tokens
in the middle of a document are at true positions for them. Models of others may have learnt
positions: in a short window they see each token where it stands in the long one (`place_windows`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from trainer.data.corpus import expand
from weighting.arrays import AnyArray, Int64s


@dataclass(frozen=True, eq=False)
class Windows:
    """W windows over N targets, which are the tokens of all documents one behind the other."""

    starts_W: Int64s  # the first target that it holds
    sizes_W: Int64s  # targets that it holds
    skips_W: Int64s  # of these, the first that another window scores
    firsts_W: Int64s  # position of its first input, for models that have learnt positions

    def select(self, which: AnyArray) -> "Windows":
        """Return some of the windows, by their numbers or a mask."""
        return Windows(*(values_W[which] for values_W in vars(self).values()))


class Gathered(NamedTuple):
    """Windows as the rows of one array, and where the M targets that they score are."""

    inputs_BxT: Int64s
    cells_M: Int64s  # place in the flat B x T array
    places_M: Int64s  # place among the N targets


def cut_windows(offsets_D1: Int64s, context: int, stride: int) -> Windows:
    """Return the windows of D documents, in their order; `stride` is from 1 to `context`."""
    sizes_D = np.diff(offsets_D1)
    later_D = -(np.minimum(context - sizes_D, 0) // stride)
    document_W, number_W = expand(np.zeros_like(sizes_D), np.where(sizes_D > 0, later_D + 1, 0))
    sizes_W = np.minimum(sizes_D[document_W] - number_W * stride, context)
    skips_W = np.where(number_W > 0, context - stride, 0)
    starts_W = offsets_D1[document_W] + number_W * stride
    return Windows(starts_W, sizes_W, skips_W, np.zeros_like(starts_W))


def place_windows(windows: Windows, within: Windows, context: int) -> Windows:
    """Return windows with the positions that their inputs have in longer windows.

    Those are the windows of `within` that score the same targets. So a model with learnt positions
    sees a target where it saw it before, and nothing beyond its context.
    """
    scored_W = windows.starts_W + windows.skips_W
    holder_W = np.searchsorted(within.starts_W + within.skips_W, scored_W, side="right") - 1
    firsts_W = windows.starts_W - within.starts_W[holder_W]
    return replace(windows, firsts_W=np.clip(firsts_W, 0, context - windows.sizes_W))


def shift_right(ids_N: AnyArray, offsets_D1: Int64s, eos_id: int) -> Int64s:
    """Return the input of each target: the token before it, `eos_id` at a document's start."""
    inputs_N = np.empty(len(ids_N), np.int64)
    inputs_N[1:] = ids_N[:-1]
    inputs_N[offsets_D1[:-1][np.diff(offsets_D1) > 0]] = eos_id
    return inputs_N


def batch_windows(windows: Windows, tokens: int) -> Iterator[Windows]:
    """Yield windows of about equal size, longest first, at most `tokens` with padding, or one.

    A function of the windows alone.
    """
    order_W = np.argsort(-windows.sizes_W, kind="stable")
    first = 0
    while first < len(order_W):
        longest = int(windows.sizes_W[order_W[first]])
        stop = first + max(1, tokens // longest)
        yield windows.select(order_W[first:stop])
        first = stop


def gather(windows: Windows, inputs_N: Int64s) -> Gathered:
    """Return windows side by side.

    What follows a shorter window in its row is whatever follows it in the text: models are causal,
    so nothing that is scored depends on it.
    """
    columns_T = np.arange(windows.sizes_W.max())
    places_BxT = windows.starts_W[:, None] + columns_T
    scored_BxT = columns_T >= windows.skips_W[:, None]
    scored_BxT &= columns_T < windows.sizes_W[:, None]
    inputs_BxT = inputs_N[np.minimum(places_BxT, len(inputs_N) - 1)]
    return Gathered(inputs_BxT, np.flatnonzero(scored_BxT), places_BxT[scored_BxT])
