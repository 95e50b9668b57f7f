"""Golden tokens in the report: an even choice, their sides, and the text that tells them."""

from itertools import pairwise

import numpy as np
import pytest

from flows.report import write_report
from flows.report.tokens.golden_examples import (
    GOLDEN_ROWS,
    NEAR_ROWS,
    find_examples,
    spread_evenly,
)
from flows.report.tokens.token_sample import Sample
from tests.flows.runs import build_run
from tests.flows.stories import MODELLED, Doc, Story
from weighting.contracts.counts import SplitScale, WeighingFacts
from weighting.policies.golden import GOLDEN, Rule, Side

SIZE = 400
WORDS = [f"word{number} " for number in range(SIZE)]
REFERENCE = {"context": 64, "short": 4}


def facts(golden="key"):
    scale = SplitScale(1.0, 0.0, 1.0, 1.0, cuts={}, golden_from=2.0)
    return WeighingFacts("uniform", {}, {"train": scale}, golden, None)


@pytest.fixture(scope="module")
def sample():
    """Four documents of two sources; the first half of the tokens is golden by `key`."""
    gain_N = np.linspace(9, 0, SIZE, dtype=np.float32)
    nll_N = np.where(np.arange(SIZE) % 3, 1, 5).astype(np.float32)
    golden_N = (gain_N > 2) & (nll_N < 2)
    per = SIZE // 4
    starts = [np.cumsum([0, *map(len, WORDS[at : at + per])])[:-1] for at in range(0, SIZE, per)]
    return Sample(
        np.arange(SIZE),
        np.zeros(SIZE, np.bool_),
        np.ones(SIZE, np.bool_),
        golden_N,
        np.full(SIZE, 1.5, np.float32),
        {"context_gain": gain_N, "nll": nll_N, "entropy": nll_N, "ngram_gain": gain_N},
        np.arange(0, SIZE + 1, per),
        ["a", "b", "c", "d"],
        ["books", "web", "books", "web"],
        ["".join(WORDS[at : at + per]) for at in range(0, SIZE, per)],
        np.concatenate(starts).astype(np.int32),
    )


def test_golden_tokens_are_spread_over_gain_documents_and_sources(sample):
    found = find_examples(sample, facts(), REFERENCE)
    assert found
    golden, near, doubtful = found.groups
    gains = [row.sides[0].value for row in golden.rows]
    assert len(golden.rows) == GOLDEN_ROWS
    assert gains == sorted(gains, reverse=True)
    steps = [one - other for one, other in pairwise(gains)]
    assert max(steps) < 3 * (gains[0] - gains[-1]) / GOLDEN_ROWS
    assert {row.doc_id for row in golden.rows} == {"a", "b", "c", "d"}
    assert all(side.holds for row in golden.rows for side in row.sides)
    assert [[side.holds for side in row.sides] for row in near.rows] == [[True, False]] * NEAR_ROWS
    assert [row.place for row in near.rows] == [0, 3, 6, 9, 12]
    assert all(side.holds for row in doubtful.rows for side in row.sides)


def test_an_example_shows_its_text_and_its_numbers(sample):
    found = find_examples(sample, facts(), REFERENCE)
    assert found
    row = found.groups[1].rows[4]
    assert (row.source, row.doc_id, row.place, row.weight) == ("books", "a", 12, 1.5)
    assert row.telling.token == "word12 "
    assert "".join(part.text for part in row.telling.before if part.near) == "".join(WORDS[4:12])
    assert row.beside == {"entropy": 5.0}


def test_a_rule_of_one_side_has_golden_tokens_only(sample, monkeypatch):
    rule = Rule((Side("ngram_gain", ">=", "golden_gain"),), "ngram_gain", "", "", "")
    monkeypatch.setitem(GOLDEN, "ngram", rule)
    found = find_examples(sample, facts("ngram"), None)
    assert found
    assert [len(group.rows) for group in found.groups] == [GOLDEN_ROWS]
    assert found.reach.near == 0
    assert found.groups[0].rows[0].beside.keys() == {"nll", "entropy"}


def test_nothing_without_a_sample_or_without_the_signals(sample):
    assert find_examples(None, facts(), None) is None
    assert find_examples(sample, facts("learnt"), None) is None


def test_types_take_turns_and_all_are_taken_where_there_are_few():
    values_N, kinds = np.array([1, 5, 3], np.float32), [np.zeros(3, np.int64)]
    assert spread_evenly(values_N, kinds, 9).tolist() == [1, 2, 0]
    assert spread_evenly(values_N[:0], [kinds[0][:0]], 9).tolist() == []
    many_N = np.arange(8, dtype=np.float32)
    kind_N = np.array([0, 1, 0, 1, 0, 0, 0, 0])
    assert {kind_N[at] for at in spread_evenly(many_N, [kind_N], 4).tolist()} == {0, 1}


EVIL = "<script>alert(1)</script> " * 6 + "nul\0 bidi\u202e סלאם "


def test_the_section_escapes_what_it_shows(tmp_path):
    docs = [Doc(EVIL * 3, source="<b>"), Doc("Rain in Paris. " * 30, unit=1)]
    run = build_run(tmp_path / "run", Story(docs=docs, bad=(), signals=MODELLED))
    html = write_report(run).read_text(encoding="utf-8")
    section = html.partition('<section id="golden">')[2].partition("</section>")[0]
    assert section.count('<figure class="told">') >= GOLDEN_ROWS
    assert "Nearly golden, taken for noise" in section
    assert "<script" not in section
    assert "\u202e" not in section
    assert "insight <b>" in section or "<span>insight " in section
    assert 'class="fails"' in section
    assert '<a href="#golden">' in html
