"""Languages of texts: labels, probabilities, and what white space has."""

import math

import pyarrow as pa
import pytest

from pipelines.rules.identify import identify

ENGLISH = "The quick brown fox jumps over the lazy dog and runs into the forest."
GERMAN = "Der schnelle braune Fuchs springt über den faulen Hund und läuft in den Wald."
SWEDISH = "Den snabba bruna räven hoppar över den lata hunden och springer in i skogen."


def find(texts, wanted=()):
    return identify(pa.array(texts, pa.string()), wanted)


def test_each_text_has_its_language():
    found = find([ENGLISH, GERMAN, SWEDISH])
    assert found.labels_D == ["en", "de", "sv"]
    assert (found.scores_D > 0.8).all()
    assert found.wanted_D.tolist() == found.scores_D.tolist()  # no language is wanted: all are


def test_the_most_probable_wanted_language_counts():
    found = find([ENGLISH, GERMAN], ["de", "sv"])
    assert found.labels_D == ["en", "de"]
    assert found.wanted_D[0] < 0.1
    assert found.wanted_D[1] == found.scores_D[1]


@pytest.mark.parametrize("blank", ["", " ", "\n\u3000\t"])
def test_white_space_has_no_language(blank):
    found = find([blank, ENGLISH], ["en"])
    assert found.labels_D == [None, "en"]
    assert math.isnan(found.scores_D[0])
    assert math.isnan(found.wanted_D[0])
    assert found.wanted_D[1] > 0.8


def test_lines_are_parts_of_one_text():
    one, other = find([ENGLISH + "\n" + ENGLISH, ENGLISH + " " + ENGLISH]).scores_D
    assert one == pytest.approx(other, abs=1e-3)


def test_no_text_has_no_language():
    found = find([])
    assert (found.labels_D, len(found.scores_D), len(found.wanted_D)) == ([], 0, 0)


def test_a_language_that_the_model_does_not_know_has_no_probability():
    assert find([ENGLISH], ["xx"]).wanted_D.tolist() == [0.0]


@pytest.mark.parametrize("white", [" ", "\n", "\t", "\0"])
def test_a_document_is_read_to_its_end_whatever_it_spells(white):
    """fastText takes the word `</s>` for the end of a line, and reads no further."""
    spelt = f"Hello{white}</s>{white}{GERMAN}"
    found = find([spelt, f"</s> {GERMAN}", f"{GERMAN} </s>", GERMAN], ["en"])
    assert found.labels_D == ["de"] * 4
    assert found.wanted_D[0] < 0.1
    assert found.scores_D[1] == pytest.approx(found.scores_D[3], abs=1e-3)


def test_a_mark_within_a_word_is_a_part_of_it():
    glued = find([f"x</s> {ENGLISH}", f"x</q> {ENGLISH}"])
    assert glued.labels_D == ["en", "en"]
    assert (glued.scores_D > 0.8).all()
