"""Kernels: what a unit adds to the sums over a split on which its tokens' weights depend.

Golden tokens need a histogram of their gain, a selection the tokens of documents by richness, ranks
a histogram of the signals they go by, and normalising the moments of raw weights.
"""

from collections.abc import Iterator

import numpy as np

from pipelines.weigh.calibrate import Calibration, UnitSums
from pipelines.weigh.weigh_inputs import UnitSplit, WeighInputs, read_splits
from weighting.arrays import Int64s
from weighting.contracts.splits import SPLITS, TRAIN
from weighting.policies.golden import GAIN_BINS, count_gains
from weighting.policies.normalisation import WeightSums, sum_weights
from weighting.policies.quantiles import BINS, count_values
from weighting.policies.registry import list_ranked
from weighting.policies.selection import KEY_BINS, SCORE_BINS, Selection, bin_keys, bin_scores
from weighting.policies.weighing import weigh_raw_tokens


def count_golden(uid: int, inputs: WeighInputs) -> Int64s:
    """Return histograms of what the golden rule finds in a unit, int64 [splits, GAIN_BINS]."""
    scheme = inputs.scheme
    counts = np.zeros((len(SPLITS), GAIN_BINS), np.int64)
    for found in read_splits(uid, inputs, Calibration()):
        special_N = found.sidecar.special_N
        row = count_gains(found.batch.signals, special_N, scheme.golden, scheme.params)
        counts[SPLITS.index(found.split)] = row
    return counts


def count_scores(uid: int, inputs: WeighInputs, known: Calibration, selection: Selection) -> Int64s:
    """Return the train tokens of a unit by richness of their documents, int64 [SCORE_BINS]."""
    for found in _read_train(uid, inputs, known):
        return bin_scores(found.measure_density(selection.by), found.lengths_D)
    return np.zeros(SCORE_BINS, np.int64)


def count_keys(uid: int, inputs: WeighInputs, known: Calibration, selection: Selection) -> Int64s:
    """Return those of the documents at the border of scores by their hash, int64 [KEY_BINS]."""
    for found in _read_train(uid, inputs, known):
        if known.borders is not None:
            density_D = found.measure_density(selection.by)
            keys_D = found.batch.key_documents(selection.seed)
            return bin_keys(density_D, keys_D, found.lengths_D, known.borders.score)
    return np.zeros(KEY_BINS, np.int64)


def count_ranks(uid: int, inputs: WeighInputs, known: Calibration) -> Int64s:
    """Return histograms of the signals that the policy ranks by, int64 [splits, signals, BINS]."""
    ranked = list_ranked(inputs.scheme.policy, inputs.scheme.params)
    counts = np.zeros((len(SPLITS), len(ranked), BINS), np.int64)
    for found in read_splits(uid, inputs, known):
        for at, name in enumerate(ranked):
            row = count_values(found.batch.signals[name], found.sidecar.special_N)
            counts[SPLITS.index(found.split), at] = row
    return counts


def sum_unit(uid: int, inputs: WeighInputs, known: Calibration) -> UnitSums:
    """Return the moments of a unit's raw weights by split."""
    found = read_splits(uid, inputs, known)
    return UnitSums({one.split: _sum(one, known) for one in found})


def _sum(found: UnitSplit, known: Calibration) -> WeightSums:
    cuts = known.cuts.get(found.split, {})
    return sum_weights(*weigh_raw_tokens(found.batch, found.inputs.scheme, cuts))


def _read_train(uid: int, inputs: WeighInputs, known: Calibration) -> Iterator[UnitSplit]:
    found = read_splits(uid, inputs, known, selected=False)
    return (one for one in found if one.split == TRAIN)
