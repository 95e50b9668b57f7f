"""Words that are often golden: words only, and more often than by chance."""

import numpy as np
import pytest

from flows.report.tokens.sidecars import Vocabulary
from flows.report.tokens.token_sample import Sample, read_sample
from flows.report.tokens.told_words import LEAST, find_lower_end, find_told_words
from flows.report.tokens.words import find_letters, find_words
from tests.flows.runs import build_run
from tests.flows.stories import EOS, MODELLED, VOCAB, Doc, Story
from weighting.signals.token_types import Types


def make_sample(pieces, golden=(), rarity=()):
    """Return a sample of one document of these tokens, each text a type of its own."""
    text, size = "".join(pieces), len(pieces)
    types = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    golden_N = np.zeros(size, np.bool_)
    golden_N[list(golden)] = True
    surprisal = np.array([dict(rarity).get(piece, 5.0) for piece in pieces], np.float32)
    starts_N = np.cumsum([0, *map(len, pieces)])[:-1].astype(np.int32)
    return Sample(
        np.array([types[piece] for piece in pieces]),
        np.zeros(size, np.bool_),
        np.ones(size, np.bool_),
        golden_N,
        np.ones(size, np.float32),
        {"surprisal": surprisal, "ngram_gain": surprisal},
        np.array([0, size]),
        ["doc"],
        ["books"],
        [text],
        starts_N,
    )


VOCABULARY = Vocabulary(
    [bytes([i]) for i in range(EOS)],
    EOS,
    Types(np.ones(VOCAB, np.int64), np.ones(VOCAB, np.int64), documents=1),
)


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        (["The", " rain", " in", "to", ".", " a"], [1, 1, 0, 0, 0, 0]),
        (["x", "ray", " 3", "rd", "/", "("], [0, 0, 0, 1, 0, 0]),
        (["数据", "集", "。"], [1, 1, 0]),
        (["سلام", " دنيا"], [1, 1]),
        (["हिन्दी", " में"], [1, 1]),
    ],
)
def test_words_are_whole_and_of_letters(pieces, words):
    assert find_words(make_sample(pieces), VOCABULARY).tolist() == [bool(one) for one in words]


def test_letters_of_any_script_and_their_parts():
    found = find_letters(make_sample(["a1", "2", "#", "é", "数", "…"]), VOCABULARY)
    assert found.tolist() == [True, False, False, True, True, False]


def test_words_that_are_golden_beyond_chance():
    pieces = [" the", " United", " States", ",", " in"] * 20 + [" rarely"] * 3
    golden = [at for at, piece in enumerate(pieces) if piece == " States" or at == 0]
    rarity = {" the": 1, " States": 2, ",": 1, " in": 1, " United": 2, " rarely": 90}
    found = find_told_words(make_sample(pieces, golden, rarity.items()), VOCABULARY, "Told.")
    (row,) = found.rows
    assert (row.word, row.golden, row.occurrences) == ("States", 20, 20)
    assert found.usual == pytest.approx(21 / 103)
    assert row.lift == pytest.approx(103 / 21)
    assert row.example.token == " States"
    assert row.example.before.endswith(" United")


def test_few_occurrences_are_not_listed():
    few = [" ab"] * (LEAST - 1) + [" cd"] * 50
    sample = make_sample(few, range(LEAST - 1), {" ab": 1, " cd": 2}.items())
    assert find_told_words(sample, VOCABULARY, "").rows == []
    assert find_told_words(None, VOCABULARY, "").rows == []
    assert find_told_words(make_sample([" ab"] * 9), VOCABULARY, "").rows == []


def test_wilsons_lower_end():
    assert find_lower_end(10, 10) == pytest.approx(0.7225, abs=1e-4)
    assert find_lower_end(0, 10) == pytest.approx(0)
    assert find_lower_end(1, 10) < find_lower_end(10, 100)


def test_flags_are_those_of_the_shards(tmp_path):
    docs = [Doc(f"document {number} of some length") for number in range(4)]
    run = build_run(tmp_path / "run", Story(docs=docs, bad=(), signals=MODELLED, left=(1,)))
    sample = read_sample(run, VOCABULARY)
    assert sample is not None
    weighed = [bool(sample.weighed_N[at]) for at in sample.offsets_D1[:-1]]
    assert sorted(weighed) == [False, True, True, True]
    assert not (sample.golden_N & ~sample.weighed_N).any()
