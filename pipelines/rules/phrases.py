"""Search for many phrases at once (Aho and Corasick 1975)."""

from collections.abc import Iterable

import ahocorasick


class Phrases:
    """A set of phrases to look for; empty ones are ignored."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._automaton = ahocorasick.Automaton()
        for phrase in phrases:
            if phrase:
                self._automaton.add_word(phrase, phrase)
        self._automaton.make_automaton()

    def find(self, text: str) -> Iterable[tuple[int, str]]:
        """Return start and phrase of every occurrence, overlapping ones too."""
        if not len(self._automaton):
            return ()
        return ((last + 1 - len(phrase), phrase) for last, phrase in self._automaton.iter(text))
