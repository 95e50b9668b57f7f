"""Trying a tokenizer out on made-up texts: what its structure alone does not tell.

Two things are tried: whether every character has a place in some token, with characters of every
kind; and whether the spelling of a special token, which is text like any other, gives that token.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from tokenizers import Tokenizer

from pipelines.tokenize.library import calling
from pipelines.tokenize.places import follow_places, read_places
from pipelines.tokenize.structure import composes, find_missing
from weighting.errors import AssayError
from weighting.vocabulary import Part, find_unknown

OF_A_KIND = 3  # characters of each of Unicode's categories
LAST = 0x20000  # the planes with nearly all characters in use
AROUND = ("{}", " {}", "{} ", "a{}b", "\n{}\n", "{0}{0}", "({})")  # what a spelling stands in


def try_out(
    tokenizer: Tokenizer, fields: Part, sealed: Part, name: str, whole: bool = True
) -> None:
    """Try a tokenizer of some name that was settled to `fields`, and then sealed.

    From now on it matches no special token in text. `whole` asks that every character is in some
    token, but for those whose bytes a byte-level vocabulary lacks.

    Raises:
        AssayError: a character has no place, or a text forges a special token.
    """
    tokenizer.encode_special_tokens = True
    missing = find_missing(fields)
    some = [one for one in list_kinds() if not whole or missing.isdisjoint(one.encode())]
    texts = [*some, "".join(some), "a".join(some), " ".join(some), "".join(some[::-1])]
    if composes(fields):  # of a text in normal form no character goes into another
        texts = [tokenizer.normalizer.normalize_str(text) for text in texts]
    _try_characters(tokenizer, texts, name, whole)
    _try_spellings(tokenizer, fields, sealed, name)


@cache
def list_kinds() -> list[str]:
    """Return some characters of every kind: all of ASCII, blanks, and a few of each category."""
    kinds: dict[str, list[str]] = {}
    for character in map(chr, range(LAST)):
        kind = unicodedata.category(character)
        if kind != "Cs" and (len(kinds.setdefault(kind, [])) < OF_A_KIND or character.isspace()):
            kinds[kind].append(character)
    ascii_too = {*map(chr, range(128)), *(one for some in kinds.values() for one in some)}
    return sorted(ascii_too)


def _try_characters(tokenizer: Tokenizer, texts: Sequence[str], name: str, whole: bool) -> None:
    for text in texts:
        with calling(f"{name}: cannot encode {text[:20]!r}", quiet=False):
            spans = tokenizer.encode(text, add_special_tokens=False).offsets
        try:
            if whole:
                read_places(spans, len(text), whole)
            else:
                follow_places(spans, len(text))
        except ValueError as error:
            raise AssayError(
                f"{name}: tokens of it cannot be placed in a text: of the text "
                f"{_quote(text)} {error}"
            ) from None


def _quote(text: str) -> str:
    return repr(text) if len(text) < 8 else "of all kinds of characters"


def _try_spellings(tokenizer: Tokenizer, fields: Part, sealed: Part, name: str) -> None:
    names: dict[Any, str] = {
        tokenizer.token_to_id(respelled["content"]): token["content"]
        for token, respelled in zip(fields["added_tokens"], sealed["added_tokens"], strict=True)
        if token["special"]
    }
    forbidden = names.keys() - {find_unknown(fields)}
    texts = [form.format(token) for token in names.values() for form in AROUND]
    for text, ids in zip(texts, _encode(tokenizer, texts, name), strict=True):
        if forged := forbidden & set(ids):
            raise AssayError(
                f"{name}: a document that spells {text!r} would hold the special token "
                f"{names[min(forged)]!r} itself; take that piece out of the model's vocabulary"
            )


def _encode(tokenizer: Tokenizer, texts: Sequence[str], name: str) -> Iterator[list[int]]:
    with calling(f"{name}: cannot encode its special tokens' spellings", quiet=False):
        encodings = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
    return (encoding.ids for encoding in encodings)
