"""Selection: the richest documents, whole, never above the budget, whatever their order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weighting.errors import AssayError
from weighting.policies.controls import key_documents
from weighting.policies.selection import (
    KEY_BINS,
    SCORE_BINS,
    Borders,
    Selection,
    bin_keys,
    bin_scores,
    check_selection,
    choose,
    fill,
    measure_density,
)

seeds = st.integers(0, 2**32)


def make_documents(size, seed, kinds):
    """Densities of a few kinds, keys and lengths of documents; what differs does so by a bin."""
    rng = np.random.default_rng(seed)
    density = rng.choice(rng.integers(-99, 99, kinds) / 99, size)
    keys = rng.permutation(size).astype(np.uint64) << np.uint64(58)
    return density, keys, rng.integers(1, 500, size)


def select(units, budget):
    """Choose as the job does, from histograms of units alone."""
    scores = [bin_scores(density, lengths) for density, _, lengths in units]
    score, rest = fill(np.sum(scores, axis=0), budget)
    bins = [bin_keys(density, keys, lengths, score) for density, keys, lengths in units]
    borders = Borders(score, fill(np.sum(bins, axis=0), rest)[0])
    return [choose(density, keys, borders) for density, keys, _ in units]


documents = st.builds(make_documents, st.integers(1, 40), seeds, st.integers(1, 6))
budgets = st.integers(1, 12_000)


@settings(max_examples=40)
@given(documents=documents, budget=budgets)
def test_it_never_exceeds_the_budget_and_takes_the_richest_first(documents, budget):
    (kept,) = select([documents], budget)
    density, keys, lengths = documents
    assert lengths[kept].sum() <= budget
    if kept.any() and not kept.all():
        assert density[kept].min() >= density[~kept].max()
        border = density == density[kept].min()
        assert (
            not (border & kept).any()
            or not (border & ~kept).any()
            or (keys[border & kept].max() < keys[border & ~kept].min())
        )
    if not kept.all():  # the next in line did not fit
        line = np.lexsort((keys, -density))
        assert lengths[line[: kept.sum() + 1]].sum() > budget


@settings(max_examples=40)
@given(documents=documents, budget=budgets, at=st.integers(0, 40), seed=seeds)
def test_it_does_not_depend_on_order_or_units(documents, budget, at, seed):
    (kept,) = select([documents], budget)
    order = np.random.default_rng(seed).permutation(len(kept))
    units = [
        tuple(values[order][part] for values in documents) for part in (slice(at), slice(at, None))
    ]
    assert np.concatenate(select(units, budget)).tolist() == kept[order].tolist()


def test_a_budget_that_holds_all_keeps_all_and_one_that_holds_none_keeps_none():
    documents = make_documents(30, 1, 3)
    total = int(documents[2].sum())
    assert select([documents], total)[0].all()
    assert not select([documents], total - 1)[0].all()
    assert not select([documents], int(documents[2].min()) - 1)[0].any()


def test_random_selection_is_by_hash_alone_and_fills_its_budget():
    doc_ids = [f"{at:032x}" for at in range(4000)]
    offsets = np.arange(0, 4001 * 10, 10)
    flags = np.zeros(40_000, bool)
    density = measure_density("random", flags, {}, offsets, flags)
    lengths = np.full(4000, 10)
    (kept,) = select([(density, key_documents(doc_ids, 0), lengths)], 10_000)
    assert 9_900 <= lengths[kept].sum() <= 10_000
    (other,) = select([(density, key_documents(doc_ids, 1), lengths)], 10_000)
    assert 0.2 < (kept & other).sum() / kept.sum() < 0.3  # chance: a quarter


def test_density_is_of_the_text_and_by_document():
    golden = np.array([True, False, False, True, True, True])
    special = np.array([False, False, True, False, True, True])
    offsets = np.array([0, 3, 5, 6])
    assert measure_density("golden", golden, {}, offsets, special).tolist() == [0.5, 1, 0]
    signals = {"nll": np.array([1, 3, 9, -6.5, 9, 9], np.float32)}
    assert measure_density("nll", golden, signals, offsets, special).tolist() == [
        2 / 64,
        -6.5 / 64,
        0,
    ]


def test_bins_hold_the_tokens_of_documents_the_richest_first():
    density, lengths = np.array([1.0, -1.0, 1.0]), np.array([5, 7, 11])
    scores = bin_scores(density, lengths)
    assert (len(scores), scores[0], scores[-1], scores.sum()) == (SCORE_BINS, 16, 7, 23)
    keys = bin_keys(density, np.array([0, 1, 2**64 - 1], np.uint64), lengths, border=0)
    assert (len(keys), keys[0], keys[-1], keys.sum()) == (KEY_BINS, 5, 11, 16)


def test_filling_by_hand():
    assert fill(np.array([3, 0, 4, 2]), 6) == (2, 3)
    assert fill(np.array([3, 0, 4, 2]), 2) == (0, 2)
    assert fill(np.array([3, 0, 4, 2]), 9) == (4, 0)


def test_what_cannot_be_selected_is_refused():
    with pytest.raises(AssayError, match=r"selection\.tokens is 0"):
        Selection("golden", 0)
    with pytest.raises(AssayError, match="'excess'; valid in this run: golden, random, nll"):
        check_selection(Selection("excess", 5), ["nll"])
    check_selection(Selection("nll", 5), ["nll"])
