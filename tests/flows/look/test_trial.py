"""The recipe to begin with: what is read, and which preset keeps enough of it."""

import json

import pytest

from flows.look.survey import survey
from flows.look.trial import find_reading, suggest
from pipelines.readers.records import ReadOptions

PROSE = (
    "The harbour wall was built when the old quay could not hold the boats of the valley, and it "
    "was the first work that the town had paid for with its own money. People came to see it on "
    "Sundays, and they would have stayed with their children until the lamps were lit. "
    "Nobody knew then that the sea would take it back within one winter of storms."
)


def look_at(folder, *texts, field="text"):
    path = folder / "a.jsonl"
    path.write_text("".join(json.dumps({field: text}) + "\n" for text in texts))
    return survey([str(path)], ReadOptions())


def suggest_for(folder, found, asked=ReadOptions()):
    options, reasons = find_reading(found, asked)
    again = found if options == asked else survey([str(folder)], options)
    return suggest(again, options, reasons)


def test_prose_gets_the_rules_of_prose(tmp_path):
    made = suggest_for(tmp_path, look_at(tmp_path, PROSE, PROSE + " It did.", "Too short."))
    assert (made.recipe.name, made.is_preset) == ("gopher", True)
    assert [(one.recipe, one.documents, one.kept) for one in made.trials] == [("gopher", 3, 2)]
    assert ("gopher_words", 1) in made.trials[0].takers


def test_what_the_rules_would_take_gets_a_recipe_that_drops_nothing(tmp_path):
    made = suggest_for(tmp_path, look_at(tmp_path, "Short.", "Also short.", PROSE))
    assert (made.recipe.name, [one.kept for one in made.trials]) == ("minimal", [1, 3])
    assert made.reasons[0].startswith("rules of gopher keep 1 of 3 documents: 2 fail gopher_words")


def test_another_text_field_is_written_into_the_recipe(tmp_path):
    made = suggest_for(tmp_path, look_at(tmp_path, PROSE, field="raw_content"))
    assert (made.recipe.read.text_field, made.is_preset) == ("raw_content", False)
    assert made.trials[0].kept == 1
    assert made.reasons[0] == ("no record has a field 'text'; the longest text is raw_content")


def test_texts_of_markup_are_read_as_pages(tmp_path):
    page = f"<html><body><p>{PROSE}</p><p>{PROSE} So it was.</p></body></html>"
    made = suggest_for(tmp_path, look_at(tmp_path, page, page + " ", "<p>x</p>"))
    assert made.recipe.read.html
    assert made.trials[0].recipe == "fineweb"
    assert made.reasons[0] == "most texts are HTML"


GERMAN = (
    "Die Mauer im Hafen wurde gebaut, als der alte Kai die Boote im Tal nicht mehr halten konnte, "
    "und sie war das erste Werk, das die Stadt mit eigenem Geld bezahlt hatte. An Sonntagen kamen "
    "die Leute, um sie zu sehen, und blieben mit den Kindern, bis die Lampen brannten. Niemand "
    "wusste damals, dass das Meer sie in einem Winter voller Stürme wieder nehmen würde."
)


def test_pages_in_other_languages_get_the_recipe_for_these(tmp_path):
    pages = [f"<html><body><p>{GERMAN}</p><p>{end}</p></body></html>" for end in ("Ja.", "So.")]
    made = suggest_for(tmp_path, look_at(tmp_path, *pages))
    assert [one.recipe for one in made.trials] == ["fineweb", "fineweb-2"]
    assert ("language_score", 2) in made.trials[0].takers
    assert made.reasons[1] == "documents by the language that they are judged as: de 2"


@pytest.mark.parametrize("texts", [[], [""]])
def test_no_text_is_no_error(tmp_path, texts):
    made = suggest_for(tmp_path, look_at(tmp_path, *texts))
    assert made.trials[-1].documents == len(texts)
