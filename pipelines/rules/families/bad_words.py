"""C4's bad words rule (Raffel et al. 2020, arXiv 1910.10683, 2.2), as datatrove reads it.

A phrase counts if the lower-cased text has it between characters other than letters, digits or
underscores; in languages without spaces, anywhere. Lists come from files, one for each language: a
document in a language without one has no value (NaN). A document's language is its metadata's
`language`, or else the first wanted one.
"""

from functools import cache

import numpy as np

from pipelines.rules.batch import Batch
from pipelines.rules.lists import load_list
from pipelines.rules.metadata import read_field
from pipelines.rules.phrases import Phrases
from weighting.arrays import Float64s

UNSPACED = frozenset({"ja", "th", "zh"})
# Frequent parts of innocent words in Japanese and Chinese; C4 leaves them out of its lists.
ALLOWED = frozenset({"sm", "グロ", "女の子", "性"})


def annotate(batch: Batch) -> dict[str, Float64s]:
    """Return the number of listed phrases in D documents, float64 [D]; NaN without a list.

    AssayError where a list of the settings cannot be read.
    """
    lists = batch.settings.bad_words
    counts_D = np.full(len(batch.texts_D), np.nan)
    if not lists:
        return {"c4_bad_words": counts_D}
    for language, path in lists.items():
        _load_phrases(path, language)  # so that a missing list shows at once
    default = next(iter(batch.settings.languages), "")
    for d, named in enumerate(read_field(batch.metadata_D, "language")):
        language = named or default
        if language in lists:
            counts_D[d] = count_phrases(batch.texts_D[d].as_py(), language, lists[language])
    return {"c4_bad_words": counts_D}


def count_phrases(text: str, language: str, path: str) -> int:
    """Return how many phrases of a list the text has."""
    lowered = text.lower()
    hits = _load_phrases(path, language).find(lowered)
    anywhere = language in UNSPACED
    return len({word for start, word in hits if anywhere or _stands_alone(lowered, start, word)})


def _stands_alone(text: str, start: int, phrase: str) -> bool:
    end = start + len(phrase)
    return not (_is_word(text[max(start - 1, 0) : start]) or _is_word(text[end : end + 1]))


def _is_word(character: str) -> bool:
    """Return what `re` takes \\w to be."""
    return character.isalnum() or character == "_"


@cache
def _load_phrases(path: str, language: str) -> Phrases:
    phrases = load_list(path, f"bad_words.{language}")
    return Phrases(phrase.lower() for phrase in phrases if phrase not in ALLOWED)
