"""What hits cover: runs of matches, and spans of words, the slow way."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.contamination.coverage import Runs, extend, trace_hits, unite
from pipelines.contamination.matches import Matches
from pipelines.contamination.scores import Pairs

LENGTH, WORDS, VARIANTS, DOCUMENT = 3, 6, 3, 40  # of an n-gram, of an item; words of a document


class Index(NamedTuple):
    """What of an index is read: n-gram g is of variant g, and the last one of all."""

    offsets_G1: np.ndarray = np.array([0, 1, 2, 3, 6])
    variants_P: np.ndarray = np.array([0, 1, 2, 0, 1, 2], np.int32)
    variants: pa.Table = pa.table({"words": pa.array([WORDS] * VARIANTS, pa.int32())})

    def list_variants(self, gram):
        return self.variants_P[self.offsets_G1[gram] : self.offsets_G1[gram + 1]].tolist()


INDEX = Index()
places = st.tuples(st.integers(0, 2), st.integers(0, DOCUMENT - LENGTH), st.integers(0, 3))
hits = st.sets(st.tuples(st.integers(0, 2), st.integers(0, VARIANTS - 1)))


def make_matches(found):
    """Matches of (document, word in it, n-gram), by first word."""
    rows = sorted(found)
    columns = np.array(rows, np.int64).reshape(-1, 3).T
    firsts = columns[0] * DOCUMENT + columns[1]
    return Matches(columns[0], columns[2], firsts, firsts + LENGTH)


def make_hits(names):
    """Hits, sorted by document and, within it, in an order that is not that of variants."""
    names = sorted(names, key=lambda name: (name[0], -name[1]))
    documents, variants = np.array(names, np.int64).reshape(-1, 2).T
    return Pairs(documents, variants, np.ones(len(names)), np.ones((len(names), 2)))


def keep_found(names, matches):
    """A document and variant without a match is no hit."""
    found = {
        (document, variant)
        for document, gram in zip(
            matches.documents_M.tolist(), matches.grams_M.tolist(), strict=True
        )
        for variant in INDEX.list_variants(gram)
    }
    return names & found


def list_rows(matches):
    return list(zip(*(column.tolist() for column in matches), strict=True))


def find_runs_plainly(matches, document, variant):
    """The runs of a hit's matches: (matches, start, end)."""
    runs = []
    for owner, gram, first, last in list_rows(matches):
        if owner == document and variant in INDEX.list_variants(gram):
            if runs and first <= runs[-1][2] + WORDS:
                runs[-1] = (runs[-1][0] + 1, runs[-1][1], last)
            else:
                runs.append((1, first, last))
    return runs


@given(st.sets(places, max_size=25), hits)
def test_hits_lie_where_most_of_their_matches_are_close_together(found, names):
    matches = make_matches(found)
    pairs = make_hits(keep_found(names, matches))
    best, words = trace_hits(matches, pairs, INDEX)  # type: ignore[arg-type]  # has what is read
    for hit, name in enumerate(
        zip(pairs.documents_P.tolist(), pairs.variants_P.tolist(), strict=True)
    ):
        runs = find_runs_plainly(matches, *name)
        most = max(count for count, *_ in runs)
        first = next(run for run in runs if run[0] == most)
        assert words[hit].tolist() == list(first[1:])
    for at, (document, gram, *_) in enumerate(list_rows(matches)):
        ours = [
            hit
            for hit in range(len(pairs.documents_P))
            if pairs.documents_P[hit] == document
            and pairs.variants_P[hit] in INDEX.list_variants(gram)
        ]
        assert best[at] == min(ours, default=-1)


@given(st.sets(places, max_size=25), st.data())
def test_spans_are_the_words_that_matches_of_hits_hold(found, data):
    matches = make_matches(found)
    numbers = st.lists(st.integers(-1, 4), min_size=len(found), max_size=len(found))
    best = np.array(data.draw(numbers), np.int64)
    cover = unite(matches, best)
    covered = {}
    for (document, _, first, last), hit in zip(list_rows(matches), best.tolist(), strict=True):
        for word in range(first, last):
            if hit >= 0:
                covered.setdefault((document, word), []).append(hit)
    spans = list(zip(cover.documents_S.tolist(), cover.words_Sx2.tolist(), strict=True))
    listed = {(document, word) for document, (start, end) in spans for word in range(start, end)}
    assert listed == set(covered)
    assert sum(end - start for _, (start, end) in spans) == len(listed)
    for (document, (start, end)), hit in zip(spans, cover.hits_S.tolist(), strict=True):
        assert hit == min(min(covered[document, word]) for word in range(start, end))
        # One more span would touch it: it has been united with all that do.
        assert (document, end) not in covered


def test_nothing_covers_nothing():
    cover = unite(make_matches(set()), np.empty(0, np.int64))
    assert [len(column) for column in cover] == [0, 0, 0]


@pytest.mark.parametrize(("gap", "runs"), [(WORDS, 1), (WORDS + 1, 2)])
def test_a_run_ends_where_the_next_match_is_farther_than_the_item_is_long(gap, runs):
    state = Runs(*(np.zeros(shape, np.int64) for shape in ((1, 2), 1, (1, 2), 1)))
    extend(state, 0, 10, 13, WORDS)
    extend(state, 0, 13 + gap, 16 + gap, WORDS)
    assert state.most_H.tolist() == [2 if runs == 1 else 1]
    assert state.best_Hx2.tolist() == [[10, 16 + gap] if runs == 1 else [10, 13]]
