"""Trajectories: how the loss of a token moved while a model learnt, from K of its checkpoints.

The least-squares line through a token's losses says by how much they rose, fitted end less fitted
start; by that, and by the loss at the end, a token is of one of four classes. Source: Lin et al.
2024 (Rho-1, arXiv 2404.07965), section 2.1 and appendix. There the line runs over the numbers of
the checkpoints, here over their steps, which is the same where they are evenly spaced.

    HL   high, then low: learnt meanwhile
    LL   low throughout: known
    HH   high throughout: not learnable so far, or noise
    LH   low, then high: forgotten
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from weighting.arrays import Float32s, Uint8s

THRESHOLD = 0.2  # nats that a loss has to move by
CLASSES = ("HL", "LL", "HH", "LH")


def fit_change(losses_KxN: npt.NDArray[np.floating], steps_K: Sequence[int]) -> Float32s:
    """Return by how many nats each token's fitted loss rises from the first to the last step.

    Computed in float64. At least two of the steps differ.
    """
    steps = np.asarray(steps_K, np.float64)
    centred_K = steps - steps.mean()
    # The slope is a fixed combination of the losses; times the distance of the ends.
    parts_K = centred_K / (centred_K @ centred_K) * (steps[-1] - steps[0])
    return np.asarray(parts_K @ losses_KxN.astype(np.float64, copy=False), np.float32)


def classify(change_N: Float32s, nll_N: Float32s, mean_nll: float) -> Uint8s:
    """Return the place in CLASSES of each token.

    `change` is that of `fit_change`, `nll` the loss under the last checkpoint, in nats, and
    `mean_nll` its mean over the corpus: from there up a loss that does not move is high.
    """
    hl, ll, hh, lh = range(len(CLASSES))
    classes_N = np.where(nll_N <= mean_nll, ll, hh)
    classes_N[change_N < -THRESHOLD] = hl
    classes_N[change_N > THRESHOLD] = lh
    return classes_N.astype(np.uint8)
