"""Trajectories: how the loss of a token moved while a model learnt, from K of its checkpoints.

The least-squares line through a token's losses says by how much they rose, fitted end less fitted
start; by that, and by the loss at the end, a token is of one of four classes. Source: Lin et al.
2024 (Rho-1, arXiv 2404.07965), section 2.1 and appendix. There the line runs over the numbers of
the checkpoints, here over their steps, which is the same where they are evenly spaced.

TRAJECTORIES names the four and says what each means: documents, report and database take their
words from it, and `list_rules` gives the same rules to NumPy and to SQL.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from weighting.arrays import Bools, Float32s, Uint8s

THRESHOLD = 0.2  # nats that a loss has to move by


class Trajectory(NamedTuple):
    """A class of tokens by what their loss did while the reference was trained."""

    name: str
    losses: str  # what they did
    meaning: str
    published: float  # share of the tokens of web mathematics, Rho-1 section 2.1


TRAJECTORIES = (
    Trajectory("HL", "high, then low", "learnt meanwhile", 0.26),
    Trajectory("LL", "low throughout", "known", 0.51),
    Trajectory("HH", "high throughout", "not learnable so far, or noise", 0.11),
    Trajectory("LH", "low, then high", "forgotten", 0.12),
)
CLASSES = tuple(trajectory.name for trajectory in TRAJECTORIES)


class Rule(NamedTuple):
    """Tokens whose signal compares with the bound like this are of the class."""

    name: str
    signal: str
    comparison: str
    bound: float


OTHERWISE = "HH"  # the class of what no rule takes
COMPARE: Mapping[str, Callable[[Float32s, Any], Bools]] = {  # a number, or one for each
    "<": np.less,
    ">": np.greater,
    "<=": np.less_equal,
    ">=": np.greater_equal,
}


def list_rules(mean_nll: float) -> tuple[Rule, ...]:
    """Return the rules in the order in which they are tried.

    `mean_nll` is the mean loss over the corpus: from there up a loss that does not move is high.
    """
    return (
        Rule("HL", "change", "<", -THRESHOLD),
        Rule("LH", "change", ">", THRESHOLD),
        Rule("LL", "nll", "<=", mean_nll),
    )


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
    `mean_nll` its mean over the corpus (see `list_rules`).
    """
    signals = {"change": change_N, "nll": nll_N}
    classes_N = np.full(len(nll_N), CLASSES.index(OTHERWISE), np.uint8)
    for rule in reversed(list_rules(mean_nll)):  # the first rule has the last word
        hit_N = COMPARE[rule.comparison](signals[rule.signal], rule.bound)
        classes_N[hit_N] = CLASSES.index(rule.name)
    return classes_N
