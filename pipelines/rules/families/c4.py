"""C4 rules on pages (Raffel et al. 2020, arXiv 1910.10683, 2.2; mC4's for paragraphs).

The line rules are an edit, done by `line_rules`; here are how many lines each of them takes, and
the rules that drop a page: by what its lines say, and by how many sentences the line rules leave.
Sentences are those of spaCy's rule-based sentencizer, line by line.
"""

import numpy as np

from pipelines.languages.writing import UNENDED
from pipelines.rules.batch import Batch
from pipelines.rules.line_reasons import REASONS
from pipelines.words import Text
from pipelines.words.compiled import njit
from pipelines.words.text_lines import NEWLINE, count_chars
from weighting.arrays import Float64s, Int64s


def annotate(batch: Batch) -> dict[str, Float64s]:
    """Return the values of D documents, float64 [D] each.

    Sentences, and lines without a mark, are NaN in languages without marks at sentences' ends.
    """
    cut = batch.line_cut
    values = {f"c4_{reason}_lines": cut.removed[at] for at, reason in enumerate(REASONS)}
    values |= {
        "c4_lorem_ipsum": cut.lorem,
        "c4_curly_brackets": cut.curly,
        "c4_sentences": cut.sentences,
        "c4_paragraphs": measure_paragraphs(batch.text),
    }
    floats = {rule: value.astype(np.float64) for rule, value in values.items()}
    for rule in ("c4_unterminated_lines", "c4_sentences"):
        floats[rule][batch.is_in(UNENDED)] = np.nan
    return floats


@njit
def measure_paragraphs(text: Text) -> Int64s:
    """Return the characters of the third longest line of D texts, int64 [D]; 0 for fewer lines."""
    third = np.zeros(len(text.offsets) - 1, np.int64)
    for document in range(len(text.offsets) - 1):
        longest = np.zeros(3, np.int64)  # ascending: the first is the one to beat
        at, stop = text.offsets[document], text.offsets[document + 1]
        while at <= stop:
            end = at
            while end < stop and text.data[end] != NEWLINE:
                end += 1
            length = count_chars(text.data, at, end)
            if length > longest[0]:
                longest[0] = length
                longest.sort()
            at = end + 1
        third[document] = longest[0]
    return third
