"""spaCy's blank English tokenizer: the authority on words.

spaCy's machine learning library imports PyTorch wherever it is installed. A tokenizer has no use
for it, and it costs every worker process seconds and some hundred MB, so it is hidden meanwhile.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache


@contextmanager
def _hide(name: str) -> Iterator[None]:
    """Make a package look as if it was not installed, unless it is imported already."""
    hidden = name not in sys.modules
    if hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # what `import` takes for "none such"
    try:
        yield
    finally:
        if hidden:
            del sys.modules[name]


with _hide("torch"):
    import spacy
    from spacy.attrs import ORTH
    from spacy.lang.char_classes import ALPHA, ALPHA_LOWER, ALPHA_UPPER, CURRENCY, UNITS
    from spacy.pipeline.sentencizer import Sentencizer
    from spacy.tokenizer import Tokenizer

__all__ = [
    "ALPHA",
    "ALPHA_LOWER",
    "ALPHA_UPPER",
    "CURRENCY",
    "ORTH",
    "UNITS",
    "Sentencizer",
    "Tokenizer",
    "english",
    "split_words",
]


@cache
def english() -> Tokenizer:
    """Return the tokenizer."""
    return spacy.blank("en").tokenizer


def split_words(text: str) -> list[str]:
    """Return the English words of a text; punctuation marks are words, white space is not."""
    return [word for token in english()(text) if (word := str(token)) and not word.isspace()]
