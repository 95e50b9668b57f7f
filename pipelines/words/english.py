"""spaCy's blank English tokenizer: the authority on words.

It splits each run of non-space characters, a *chunk*, by itself. What that takes grows with the
square of the chunk's length: whatever it takes off an end, it looks again at all that is left. So a
text without blanks, such as a drawing, a dump or bytes that are no text, would take hours. No word
of a language is that long. Therefore, and this is a rule of assay's own, a chunk of more than
LONGEST characters is cut every PIECE characters, and its words are those of its pieces, each split
as a chunk of its own:

    chunk of 1,024 characters   |- 1024 ------------------------|       exactly spaCy's words
    chunk of 1,025 characters   |- 256 -|- 256 -|- 256 -|- 256 -|1|     those of five pieces

spaCy's machine learning library imports PyTorch wherever it is installed. A tokenizer has no use
for it, and it costs every worker process seconds and some hundred MB, so it is hidden meanwhile.
"""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial


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
    "LONGEST",
    "ORTH",
    "PIECE",
    "UNITS",
    "Sentencizer",
    "Tokenizer",
    "cut_text",
    "english",
    "plain",
    "split_words",
]


LONGEST = 1024  # characters of a chunk that is split as it is
PIECE = 256
LONG = re.compile(rf"\S{{{LONGEST + 1},}}")
# No suffix of spaCy's but a row of full stops is as long, with what it looks at before it.
TAIL = 24


@cache
def english() -> Tokenizer:
    """Return the tokenizer."""
    return spacy.blank("en").tokenizer


@cache
def plain() -> Tokenizer:
    """Return the tokenizer without its special cases, for languages other than English.

    To it "im" is "I'm" and two words. In German it is one, and among the commonest.
    """
    return _copy(english(), rules=None)


def split_words(text: str, tokenizer: Tokenizer | None = None) -> list[str]:
    """Return the words of a text; punctuation marks are words, white space is not.

    English ones, unless another tokenizer is given.
    """
    quick = _quick(tokenizer or english())
    return [
        word
        for piece in cut_text(text)
        for token in quick(piece)
        if (word := str(token)) and not word.isspace()
    ]


def cut_text(text: str) -> Iterator[str]:
    """Yield the pieces of a text's long chunks and what lies between those chunks, in order."""
    end = 0
    for match in LONG.finditer(text):
        yield text[end : match.start()]
        end = match.end()
        for start in range(match.start(), end, PIECE):
            yield text[start : min(start + PIECE, end)]
    yield text[end:]


@cache
def _quick(tokenizer: Tokenizer) -> Tokenizer:
    """Return a tokenizer like another that looks for affixes at the ends of a chunk alone.

    spaCy searches the whole chunk for them, though every prefix stands at the start.
    """
    prefix, suffix = (
        search.__self__ for search in (tokenizer.prefix_search, tokenizer.suffix_search)
    )
    return _copy(
        tokenizer,
        rules=tokenizer.rules,
        prefix_search=prefix.match,
        suffix_search=partial(_search_tail, suffix.search),
    )


def _copy(tokenizer: Tokenizer, **changes: object) -> Tokenizer:
    """Return a tokenizer like another, but for the given parts."""
    names = ("prefix_search", "suffix_search", "infix_finditer", "token_match", "url_match")
    parts = {name: getattr(tokenizer, name) for name in (*names, "faster_heuristics")}
    return Tokenizer(tokenizer.vocab, **{**parts, **changes})


def _search_tail(search: Callable[[str], re.Match[str] | None], chunk: str) -> re.Match[str] | None:
    """Return a match as long as the one that a search for a suffix of a chunk finds."""
    match = search(chunk[-TAIL:])
    # One that begins where the tail does may begin before it.
    return search(chunk) if match and not match.start() else match
