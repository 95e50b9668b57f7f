"""What is found once over the corpus: exact, in any order of the units, and small."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.codec import encode
from pipelines.settings import WeighSettings
from pipelines.weigh.calibrate import (
    Calibration,
    UnitSums,
    describe_weighing,
    find_cuts,
    find_least_gains,
    find_scales,
    find_score_border,
    find_selection,
)
from tests.weighting.evidence import make_types
from weighting.contracts.splits import SPLITS
from weighting.errors import AssayError
from weighting.policies.golden import GAIN_BINS
from weighting.policies.masks import TopParams
from weighting.policies.normalisation import Scale, find_scale, find_uniform_scale, merge_sums
from weighting.policies.normalisation import sum_weights as sum_tokens
from weighting.policies.params import PolicyParams
from weighting.policies.quantiles import BINS, ZERO, Cut, cut_share
from weighting.policies.selection import KEY_BINS, SCORE_BINS, Borders, Selection, fill
from weighting.policies.weighing import Scheme
from weighting.signals.signal import Facts

SOFT = WeighSettings("soft")
TOP = WeighSettings("top_k", PolicyParams(own=TopParams(0.3, "excess")))
seeds = st.integers(0, 2**32)


def make_sums(seed, size=20, raw=1.0):
    rng = np.random.default_rng(seed)
    raw_N = (raw * rng.exponential(1, size)).astype(np.float32)
    return sum_tokens(raw_N, rng.random(size).astype(np.float32), rng.random(size) < 0.2)


def make_units(seed, count):
    units = [{split: make_sums(seed + 2 * at + n) for n, split in enumerate(SPLITS)}
             for at in range(count)]  # fmt: skip
    del units[0]["validation"]  # a unit may have no documents in a split
    return [UnitSums(unit) for unit in units]


@given(seeds, st.integers(2, 12), st.randoms())
def test_scales_are_the_same_to_the_bit_in_any_order_of_the_units(seed, count, random):
    units = make_units(seed, count)
    found = find_scales(Calibration(), units, SOFT)
    random.shuffle(units)
    assert find_scales(Calibration(), units, SOFT) == found
    train = merge_sums(unit.splits["train"] for unit in units)
    assert found.scales["train"] == find_scale(train, "soft", SOFT.params)


def test_what_was_found_before_is_kept():
    known = Calibration(borders=Borders(1, 2), cuts={"train": {"excess": Cut(0.5, 1.0)}})
    found = find_scales(known, make_units(0, 3), SOFT)
    assert (found.borders, found.cuts) == (known.borders, known.cuts)


def test_a_mask_that_leaves_a_small_split_empty_weighs_it_evenly():
    empty = make_sums(1, raw=0.0)
    units = [UnitSums({"train": make_sums(0), "validation": empty})]
    found = find_scales(Calibration(), units, SOFT)
    assert found.scales["validation"] == find_uniform_scale(empty, "soft", SOFT.params)
    with pytest.raises(AssayError, match="split train: weights of the split have mean 0"):
        find_scales(Calibration(), [UnitSums({"train": empty})], SOFT)


def test_cuts_follow_from_the_histograms_of_each_split():
    counts = np.zeros((len(SPLITS), 1, BINS), np.int64)
    rng = np.random.default_rng(3)
    counts += rng.integers(0, 2, counts.shape)
    found = find_cuts(Calibration(), counts.ravel(), TOP)
    for at, split in enumerate(SPLITS):
        assert found.cuts[split] == {"excess": cut_share(counts[at, 0], 0.3)}


def test_gains_follow_from_the_histograms_of_each_split():
    counts = np.zeros((len(SPLITS), GAIN_BINS), np.int64)
    counts[:, -1] = 100
    counts[:, [ZERO + 2048, ZERO + 3072]] = (90, 4), (2, 0)
    found = find_least_gains(counts.ravel(), PolicyParams(golden_share=0.05))
    assert found.least_gains == {"train": 3.0, "validation": 2.0}
    none = find_least_gains(counts.ravel(), PolicyParams(golden_share=0.0))
    assert none.least_gains == {"train": None, "validation": None}


def test_borders_are_where_the_budget_ends():
    scores, keys = np.zeros(SCORE_BINS, np.int64), np.zeros(KEY_BINS, np.int64)
    scores[[5, 9]], keys[[2, 7]] = (100, 80), (30, 50)
    selection = Selection("golden", 140)
    known = Calibration(least_gains={"train": 2.5})
    border = find_score_border(known, scores, selection)
    borders = border.borders
    assert borders is not None
    assert borders.score == fill(scores, 140).border == 9
    assert find_selection(known, scores, keys, selection) == replace(known, borders=Borders(9, 7))
    assert border.least_gains == known.least_gains
    one = np.eye(1, KEY_BINS, 3, dtype=np.int64)[0] * 100
    with pytest.raises(AssayError, match="takes 100"):
        find_selection(known, scores, one, Selection("golden", 99))


def test_what_units_get_is_small_whatever_their_number():
    for number in (3, 300):
        packed = encode(find_scales(Calibration(), make_units(0, number), SOFT))
        assert isinstance(packed, bytes)
        assert len(packed) < 1000


def test_the_manifest_gets_all_of_it():
    params = PolicyParams(own=TopParams(0.3, "excess"))
    scheme = Scheme("top_k", params, "key", make_types(), Facts({}, 9.0), 0)
    cuts = {split: {"excess": Cut(0.5, 0.25)} for split in SPLITS}
    scales = {"train": Scale(1.0, 0.5, 2.0, 0.75)}
    known = Calibration(Borders(1, 2), cuts, scales, {"train": 2.5, "validation": None})
    facts = describe_weighing(known, scheme)
    assert (facts.policy, facts.golden, facts.borders) == ("top_k", "key", [1, 2])
    assert [*facts.splits] == ["train"]
    split = facts.splits["train"]
    assert (split.mean, split.mix, split.divisor, split.effective) == (1.0, 0.5, 2.0, 0.75)
    assert (split.cuts, split.golden_from) == ({"excess": [0.5, 0.25]}, 2.5)
    assert describe_weighing(Calibration(), scheme).borders is None
