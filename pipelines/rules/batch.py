"""What a rule family sees: a batch of documents and what several families compute from it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from pipelines.languages.writing import ENGLISH
from pipelines.rules.identify import Languages, identify
from pipelines.rules.line_rules import LineCut, Options, cut_lines
from pipelines.settings import RuleSettings
from pipelines.words import Text, Words, split_texts
from weighting.arrays import Bools, Int64s


@dataclass(frozen=True)
class Batch:
    """D documents under annotation: their texts, and their other fields as JSON.

    `line_rules` says that the lines which fail C4's line rules are removed, so that later rules see
    what is left.
    """

    texts_D: pa.StringArray
    metadata_D: pa.StringArray
    settings: RuleSettings
    line_rules: bool = False

    @cached_property
    def text(self) -> Text:
        """The texts as bytes."""
        return Text.view(self.texts_D)

    @cached_property
    def words(self) -> Words:
        """The words of the texts, each in its language."""
        return split_texts(self.text, self.judged_as_D)

    @cached_property
    def languages(self) -> Languages:
        """The languages of the texts."""
        return identify(self.texts_D, self.settings.languages)

    @cached_property
    def judged_as_D(self) -> list[str]:
        """The language whose words, stop words, marks and bounds count for each document.

        English where the document's own is not known or not asked for, and in all with `compat`.
        """
        if self.settings.compat or not self.settings.wants("language"):
            return [ENGLISH] * len(self.texts_D)
        return [language or ENGLISH for language in self.languages.known_D]

    def is_in(self, languages: frozenset[str]) -> Bools:
        """Return which of D documents are judged as one of some languages."""
        return np.array([language in languages for language in self.judged_as_D], bool)

    @cached_property
    def line_cut(self) -> LineCut:
        """What C4's line rules leave of the texts."""
        settings = self.settings
        options = Options(settings.terminal_punctuation, settings.compat)
        return cut_lines(self.text, self.words, options, self.judged_as_D)

    @property
    def late_text(self) -> Text:
        """The texts as the families after the line rules see them."""
        return Text.view(self.line_cut.texts_D) if self.line_rules else self.text

    @property
    def late_word_counts(self) -> Int64s:
        """The number of words of each `late_text`, int64 [D]."""
        return self.line_cut.words if self.line_rules else self.words.counts_D
