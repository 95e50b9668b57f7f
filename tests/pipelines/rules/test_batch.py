"""A batch: what several families compute from its texts, each once."""

import numpy as np
import pytest

from tests.pipelines.rules.batches import make_batch

TEXTS = ["A line that ends here.\nno end", "Another [1] one, which also ends."]


def test_words_and_bytes_are_those_of_the_texts():
    batch = make_batch(TEXTS)
    assert bytes(batch.text.data).decode() == "".join(TEXTS)
    assert batch.words.counts_D.tolist() == [8, 10]


@pytest.mark.parametrize("name", ["text", "words", "languages", "line_cut"])
def test_what_is_costly_is_computed_once(name):
    batch = make_batch(TEXTS)
    assert getattr(batch, name) is getattr(batch, name)


def test_late_families_see_the_texts_as_they_are_without_line_rules():
    batch = make_batch(TEXTS)
    assert batch.late_text is batch.text
    assert batch.late_word_counts.tolist() == batch.words.counts_D.tolist()


def test_late_families_see_what_the_line_rules_leave():
    batch = make_batch(TEXTS, line_rules=True)
    left = ["A line that ends here.", "Another  one, which also ends."]
    assert batch.line_cut.texts_D.to_pylist() == left
    assert bytes(batch.late_text.data).decode() == "".join(left)
    again = make_batch(left)
    assert batch.late_word_counts.tolist() == again.words.counts_D.tolist()


def test_settings_reach_the_line_rules():
    asked, spared = (make_batch(TEXTS, terminal_punctuation=wanted) for wanted in (True, False))
    assert asked.line_cut.removed.sum() == 1
    assert spared.line_cut.removed.sum() == 1  # "no end" is short as well
    assert asked.line_cut.removed.argmax() < spared.line_cut.removed.argmax()


GERMAN = "Das ist ein deutscher Satz, im Haus geschrieben, wie jeder sehen kann."


def test_documents_are_judged_as_of_their_language_where_it_is_known():
    texts = [TEXTS[0], GERMAN, "zzz qq 17", " "]
    assert make_batch(texts, families=()).judged_as_D == ["en", "de", "en", "en"]
    assert make_batch(texts, families=(), compat=True).judged_as_D == ["en"] * 4
    assert make_batch(texts, families=("gopher_quality",)).judged_as_D == ["en"] * 4
    batch = make_batch(texts, families=())
    assert batch.is_in(frozenset({"de", "th"})).tolist() == [False, True, False, False]
    # "im" is one word in German.
    english = make_batch(texts).words.counts_D
    assert (english - batch.words.counts_D).tolist() == [0, 1, 0, 0]


def test_wanted_languages_are_those_of_the_settings():
    batch = make_batch(["This is an English sentence, as anyone can see."], languages=("de",))
    assert batch.languages.labels_D == ["en"]
    assert np.all(batch.languages.wanted_D < batch.languages.scores_D)
