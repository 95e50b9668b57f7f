"""Kernels: what a unit adds to the sums over a split on which its tokens' weights depend.

Selection needs the tokens of documents by richness, ranks a histogram of the signals they go by,
and normalising the moments of raw weights.
"""

from collections.abc import Mapping

import numpy as np

from pipelines.weigh.weigh_inputs import Part, Plan, load_parts, rate_documents
from weighting.arrays import Float32s, Int64s
from weighting.contracts.splits import SPLITS, TRAIN
from weighting.policies.normalisation import WeightSums, dampen, sum_weights
from weighting.policies.quantiles import BINS, Cut, count_values, cut_share
from weighting.policies.records import Evidence
from weighting.policies.registry import (
    draws_tokens,
    find_seed,
    find_share,
    list_ranked,
    weigh_raw,
)
from weighting.policies.selection import KEY_BINS, SCORE_BINS, Borders, bin_keys, bin_scores

NO_KEYS = np.empty(0, np.uint64)
Cuts = Mapping[str, Mapping[str, Cut]]  # by split and signal


def count_scores(uid: int, plan: Plan) -> Int64s:
    """Return the train tokens of a unit by richness of their documents, int64 [SCORE_BINS]."""
    for part in load_parts(uid, plan):
        if part.split == TRAIN:
            lengths_D = np.diff(part.sidecar.offsets_D1)
            return bin_scores(rate_documents(part, plan), lengths_D)
    return np.zeros(SCORE_BINS, np.int64)


def count_keys(uid: int, border: int, plan: Plan) -> Int64s:
    """Return those of the documents at the border by their hash, int64 [KEY_BINS]."""
    selection = plan.settings.selection
    assert selection is not None
    for part in load_parts(uid, plan):
        if part.split == TRAIN:
            lengths_D = np.diff(part.sidecar.offsets_D1)
            keys_D = part.key_documents(selection.seed)
            return bin_keys(rate_documents(part, plan), keys_D, lengths_D, border)
    return np.zeros(KEY_BINS, np.int64)


def count_ranks(uid: int, plan: Plan, borders: Borders | None) -> Int64s:
    """Return histograms of the signals that the policy ranks by, int64 [splits, signals, BINS]."""
    ranked = list_ranked(plan.settings.policy, plan.settings.params)
    counts = np.zeros((len(SPLITS), len(ranked), BINS), np.int64)
    for part in load_parts(uid, plan, borders):
        for at, name in enumerate(ranked):
            row = count_values(part.signals[name], part.sidecar.special_N)
            counts[SPLITS.index(part.split), at] = row
    return counts


def cut_ranks(counts: Int64s, plan: Plan) -> Cuts:
    """Return the borders that the sum of all units' histograms gives."""
    params = plan.settings.params
    ranked = list_ranked(plan.settings.policy, params)
    share = find_share(plan.settings.policy, params)
    cuts: dict[str, dict[str, Cut]] = {}
    for split, rows in zip(SPLITS, counts, strict=True):
        cuts[split] = {
            name: cut_share(row, share, lowest)
            for (name, lowest), row in zip(ranked.items(), rows, strict=True)
        }
    return cuts


def sum_unit(uid: int, plan: Plan, borders: Borders | None, cuts: Cuts) -> dict[str, WeightSums]:
    """Return the moments of a unit's raw weights by split."""
    return {
        part.split: sum_weights(
            compute_raw(part, plan, cuts), compute_factor(part, plan), part.sidecar.special_N
        )
        for part in load_parts(uid, plan, borders)
    }


def compute_raw(part: Part, plan: Plan, cuts: Cuts) -> Float32s:
    """Return what the policy gives the tokens of a part, float32 [N]."""
    settings, statistics, ids_N = plan.settings, plan.statistics, part.sidecar.ids_N
    if plan.raw_V is not None:
        return np.take(plan.raw_V, ids_N)
    by_chance = draws_tokens(settings.policy, settings.params)
    seed = find_seed(settings.policy, settings.params)
    keys_N = part.key_tokens(seed) if by_chance else NO_KEYS
    seen = Evidence(
        ids_N,
        part.signals,
        statistics.types,
        statistics.facts,
        plan.eos_id,
        cuts[part.split],
        keys_N,
    )
    return weigh_raw(settings.policy, seen, settings.params)


def compute_factor(part: Part, plan: Plan) -> Float32s:
    """Return by how much marks damp the tokens of a part, float32 [N]."""
    sidecar, settings = part.sidecar, plan.settings
    return dampen(settings.policy, sidecar.copies_N, sidecar.contaminated_N, settings.params)
