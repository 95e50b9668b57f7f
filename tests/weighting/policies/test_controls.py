"""Chance by hash: a token's depends on its document, place and seed, and on nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.weighting.evidence import Seen, make_types, see, tokens
from weighting.policies.controls import (
    RandomParams,
    ShuffledParams,
    choose_random,
    key_documents,
    key_tokens,
    shuffle,
)
from weighting.policies.masks import TopParams
from weighting.policies.params import PolicyParams
from weighting.policies.registry import weigh_raw

ids = st.lists(st.integers(0, 2**64 - 1).map("{:032x}".format), min_size=1, max_size=8, unique=True)
seeds = st.integers(0, 2**32)


def lay_out(doc_ids, lengths, seed):
    """Keys of the tokens of documents, by document."""
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    keys = key_tokens(key_documents(doc_ids, seed), offsets)
    return dict(zip(doc_ids, np.split(keys, offsets[1:-1]), strict=True))


@given(doc_ids=ids, seed=seeds)
def test_keys_do_not_depend_on_the_order_of_documents_or_on_units(doc_ids, seed):
    lengths = [len(doc_id) + at for at, doc_id in enumerate(doc_ids)]
    whole = lay_out(doc_ids, lengths, seed)
    turned = lay_out(doc_ids[::-1], lengths[::-1], seed)
    alone = lay_out(doc_ids[:1], lengths[:1], seed)
    assert all((whole[doc_id] == turned[doc_id]).all() for doc_id in doc_ids)
    assert (alone[doc_ids[0]] == whole[doc_ids[0]]).all()


def test_keys_differ_by_document_place_and_seed_and_read_the_end_of_an_id():
    two = key_documents(["0" * 31 + "1", "0" * 31 + "2"], 0)
    keys = key_tokens(two, np.array([0, 1000, 2000]))
    again = key_tokens(key_documents(["f" * 16 + "0" * 15 + "1"], 1), np.array([0, 1000]))
    assert len(np.unique(np.concatenate([keys, again]))) == 3000
    assert key_documents(["f" * 16 + "0" * 15 + "1"], 0) == two[:1]
    assert len(key_documents([], 0)) == 0


def test_a_share_is_chosen_by_chance():
    keys = key_tokens(key_documents(["ab" * 16], 3), np.array([0, 100_000]))
    chosen = choose_random(keys, 0.25)
    assert abs(chosen.mean() - 0.25) < 0.01
    assert abs(chosen[1:][chosen[:-1]].mean() - 0.25) < 0.02  # whatever the token before got
    assert (choose_random(keys, 0.5) | ~chosen).all()  # a larger share holds the smaller
    assert choose_random(keys, 1.0).all()


@given(doc_ids=ids, seed=seeds)
def test_shuffling_moves_weights_within_equal_damping_whatever_the_order(doc_ids, seed):
    rng = np.random.default_rng(seed)

    def shuffle_documents(order):
        parts = {}
        keys = lay_out([doc_ids[at] for at in order], [20] * len(order), seed)
        for doc_id in doc_ids:
            own = np.random.default_rng(int(doc_id[-8:], 16))
            factor = own.choice([0.0, 0.5, 1.0], 20).astype(np.float32)
            weights = (factor * own.random(20)).astype(np.float32)
            parts[doc_id] = weights, factor, np.arange(20) == 19, keys[doc_id]
        stacked = [
            np.concatenate(c) for c in zip(*(parts[doc_ids[at]] for at in order), strict=True)
        ]
        shuffled = shuffle(*stacked)
        by_document = np.split(shuffled, len(order))
        return stacked, shuffled, {doc_ids[at]: w for at, w in zip(order, by_document, strict=True)}

    plain, shuffled, first = shuffle_documents(list(range(len(doc_ids))))
    _, _, second = shuffle_documents(rng.permutation(len(doc_ids)).tolist())
    weights, factor, special, _ = plain
    assert all((first[doc_id] == second[doc_id]).all() for doc_id in doc_ids)
    assert (shuffled[special] == weights[special]).all()
    for value in (0.0, 0.5, 1.0):
        group = (factor == value) & ~special
        assert sorted(shuffled[group].tolist()) == sorted(weights[group].tolist())


def test_shuffled_weights_are_independent_of_what_they_were():
    keys = key_tokens(key_documents(["cd" * 16], 0), np.array([0, 20_000]))
    weights = np.arange(20_000, dtype=np.float32)
    one, none = np.ones(20_000, np.float32), np.zeros(20_000, bool)
    shuffled = shuffle(weights, one, none, keys)
    assert abs(np.corrcoef(weights, shuffled)[0, 1]) < 0.03
    assert abs(np.corrcoef(keys.astype(np.float64), shuffled)[0, 1]) < 0.03


def test_random_is_a_mask_of_about_its_share():
    ids = np.ones(20_000, np.uint16)

    def draw(seed):
        told = PolicyParams(own=RandomParams(0.3, seed))
        return weigh_raw("random", see(ids, {}, make_types(), "random", told), told)

    raw, other = draw(0), draw(1)
    assert set(raw.tolist()) == {0.0, 1.0}
    assert raw.mean() == pytest.approx(0.3, abs=0.015)
    assert (raw * other).mean() == pytest.approx(0.09, abs=0.015)


@given(tokens)
def test_uniform_weighs_every_token_one(seen: Seen):
    raw = weigh_raw("uniform", see(*seen, make_types()), PolicyParams())
    assert raw.tolist() == [1] * len(seen[0])


def test_a_permuted_policy_tells_the_knobs_of_its_base_after_its_own():
    assert ShuffledParams("pdl", 3).to_dict() == {"of": "pdl", "seed": 3}
    told = ShuffledParams("top_k", 3, TopParams(0.5, "nll")).to_dict()
    assert list(told.items()) == [("of", "top_k"), ("seed", 3), ("share", 0.5), ("signal", "nll")]
