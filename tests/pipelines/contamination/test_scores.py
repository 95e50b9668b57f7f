"""Scores of documents and items, by the formula and by sets."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.contamination.index import build_index
from pipelines.contamination.matches import Matches
from pipelines.contamination.scores import Pairs, choose_hits, score_pairs, weigh
from tests.pipelines.contamination.planting import ITEM_WORDS, make_item, set_up

SETTINGS = set_up(words=3, least_words=3)
ITEMS = [
    make_item(" ".join(ITEM_WORDS[:6]), ITEM_WORDS[10], name="one"),
    make_item(" ".join(ITEM_WORDS[3:8]), name="two"),  # shares n-grams with the first
    make_item(" ".join(ITEM_WORDS[20:25]), ITEM_WORDS[30], name="three"),
]
INDEX = build_index(ITEMS, SETTINGS)
GRAMS = len(INDEX.offsets_G1) - 1
counts = st.integers(0, 5)


def list_postings():
    """(variant, kind) of each n-gram."""
    pairs = list(zip(INDEX.variants_P.tolist(), INDEX.kinds_P.tolist(), strict=True))
    return [pairs[INDEX.offsets_G1[at] : INDEX.offsets_G1[at + 1]] for at in range(GRAMS)]


def make_matches(found):
    """Matches of (document, n-gram) pairs; where they lie does not matter here."""
    documents, grams = np.array(sorted(found), np.int64).reshape(-1, 2).T
    places = np.arange(len(grams))
    return Matches(documents, grams, places, places + 3)


def make_pairs(documents, variants, scores):
    documents, variants = np.array(documents, np.int64), np.array(variants, np.int64)
    return Pairs(documents, variants, np.array(scores, float), np.zeros((len(scores), 2)))


@given(st.tuples(counts, counts), st.tuples(counts, counts), st.tuples(counts, counts))
def test_a_score_is_the_weighed_share_of_the_kinds_that_there_are(found, more, weights):
    totals = [a + b for a, b in zip(found, more, strict=True)]
    settings = set_up(question=float(weights[0]), answer=float(weights[1]))
    scores, shares = weigh(np.array([found]), np.array([totals]), settings)
    kinds = [kind for kind in (0, 1) if totals[kind]]
    weight = sum(weights[kind] for kind in kinds)
    expected = sum(Fraction(weights[kind] * found[kind], totals[kind]) for kind in kinds)
    assert scores[0] == pytest.approx(float(expected / weight) if weight else 0.0)
    assert 0 <= scores[0] <= 1 + 1e-12
    assert np.isnan(shares[0]).tolist() == [kind not in kinds for kind in (0, 1)]


@given(st.sets(st.tuples(st.integers(0, 3), st.integers(0, GRAMS - 1)), max_size=20))
def test_pairs_are_those_with_n_grams_in_common(found):
    pairs = score_pairs(make_matches(found), INDEX, SETTINGS)
    held = {}
    for document, gram in found:
        for variant, kind in list_postings()[gram]:
            held.setdefault((document, variant), [0, 0])[kind] += 1
    names = list(zip(pairs.documents_P.tolist(), pairs.variants_P.tolist(), strict=True))
    assert names == sorted(held)
    for name, shares in zip(names, pairs.shares_Px2, strict=True):
        for kind, total in enumerate(INDEX.totals_Vx2[name[1]].tolist()):
            if total:
                assert shares[kind] == held[name][kind] / total
            else:
                assert np.isnan(shares[kind])


def test_an_n_gram_that_comes_twice_counts_once():
    one = make_matches({(0, 0), (0, 1)})
    twice = Matches(*(np.concatenate([column, column]) for column in one))
    pairs, again = (score_pairs(some, INDEX, SETTINGS) for some in (one, twice))
    assert pairs.scores_P.tolist() == again.scores_P.tolist()


def test_no_match_makes_no_pair():
    assert len(score_pairs(make_matches(set()), INDEX, SETTINGS).scores_P) == 0


@given(
    st.dictionaries(
        st.tuples(st.integers(0, 2), st.integers(0, len(INDEX.variants) - 1)),
        st.sampled_from([0.2, 0.5, 0.5, 0.8, 1.0]),
    ),
    st.sampled_from([0.1, 0.5, 0.9]),
)
def test_hits_pass_the_share_and_come_from_the_best(scores, share):
    names = sorted(scores)
    pairs = make_pairs(
        [name[0] for name in names], [name[1] for name in names], [scores[name] for name in names]
    )
    hits = choose_hits(pairs, INDEX, share)
    passing = [name for name in names if scores[name] >= share]
    passing.sort(key=lambda name: (name[0], -scores[name], name[1]))
    expected, seen = [], set()
    items = INDEX.variants["number"].to_pylist()
    for document, variant in passing:
        if (document, items[variant]) not in seen:
            seen.add((document, items[variant]))
            expected.append((document, variant))
    assert list(zip(hits.documents_P.tolist(), hits.variants_P.tolist(), strict=True)) == expected


def test_pairs_are_taken_whole():
    pairs = make_pairs([0, 1, 2], [5, 6, 7], [0.1, 0.2, 0.3])
    taken = pairs.take(np.array([2, 0]))
    assert taken.documents_P.tolist() == [2, 0]
    assert taken.variants_P.tolist() == [7, 5]
    assert taken.scores_P.tolist() == [0.3, 0.1]
    assert taken.shares_Px2.shape == (2, 2)
