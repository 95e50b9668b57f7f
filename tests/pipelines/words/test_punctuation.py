"""Punctuation is a contract: rules of other implementations count the very same characters."""

from pipelines.words.punctuation import MARKS, PUNCTUATION, TERMINATORS
from tests.pipelines.dedupe.simple import PUNCTUATION as SIMPLIFIED


def test_there_are_as_many_as_the_reference_has():
    assert len(PUNCTUATION) == 281
    assert MARKS.isdisjoint(TERMINATORS)
    assert PUNCTUATION == MARKS | TERMINATORS


def test_marks_are_what_the_normal_form_makes_spaces_of_but_sentence_ends():
    assert set("!.?。！．？") == SIMPLIFIED - MARKS
    assert SIMPLIFIED >= MARKS


def test_sentence_ends_of_several_scripts_are_there():
    assert set(".!?。؟।።၊".replace("၊", "")) <= TERMINATORS
    assert not set(",;:\n aé") & TERMINATORS
