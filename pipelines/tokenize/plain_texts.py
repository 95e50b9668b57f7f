"""Which texts the fast encoder may take: those that are cut into words as they stand.

It knows neither normalizers nor added tokens here, so it gets the texts that a normalizer leaves as
they are and in which no added token is spelled. And its tables of Unicode are newer than those of
`tokenizers`, so it does not get texts with characters that are new.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tokenizers import Tokenizer

from pipelines.text.normal_form import read_point
from pipelines.tokenize.places import WORD, read_word
from pipelines.tokenize.structure import FORMS, REMOVED, list_normalizers
from pipelines.words import Text
from pipelines.words.compiled import njit
from weighting.arrays import Bools
from weighting.vocabulary import LETTERS, Part, list_parts

AT_ONCE = 200  # added tokens in one pattern: larger ones do not compile
BEYOND_ASCII = np.uint64(0x8080808080808080)  # bits that some byte of a word has
KNOWN_PLANES = 0x20000  # beyond, a character counts as one that may be new


class PlainTexts:
    """Tells plain texts of a tokenizer from others. `any` is False where no text can be plain."""

    def __init__(self, fields: Part, tokenizer: Tokenizer) -> None:
        parts = list_normalizers(fields)
        kinds = [part["type"] for part in parts]
        self._forms = kinds if set(kinds) <= set(FORMS) else None
        self._normalizer = tokenizer.normalizer
        self.any = _cuts_as_known(fields) and not {LETTERS, "Prepend"} & set(kinds)
        spelled = [token["content"] for token in fields["added_tokens"] if not token["special"]]
        if parts:  # some tokens are looked for in the normal form of a text, and so are theirs
            spelled += [self._normalizer.normalize_str(token) for token in spelled]
        escaped = [re.escape(token) for token in sorted(set(spelled)) if token]
        self._added = [
            "|".join(escaped[at : at + AT_ONCE]) for at in range(0, len(escaped), AT_ONCE)
        ]

    def find(self, texts: Sequence[str]) -> Bools:
        """Return which of D texts are plain."""
        plain_D = np.full(len(texts), self.any)
        if not self.any:
            return plain_D
        column = pa.array(texts, pa.string())
        for pattern in self._added:
            held = pc.match_substring_regex(column, pattern)
            plain_D &= ~held.to_numpy(zero_copy_only=False)
        plain_D &= ~find_new(Text.view(column), _list_new())
        if self._forms != []:
            plain_D &= np.fromiter(map(self._is_normal, texts), np.bool_, len(texts))
        return plain_D

    def _is_normal(self, text: str) -> bool:
        if self._forms is not None:  # far quicker than the library, and the same for what is known
            return text.isascii() or all(
                unicodedata.is_normalized(form, text) for form in self._forms
            )
        return bool(self._normalizer.normalize_str(text) == text)


def _cuts_as_known(fields: Part) -> bool:
    """Say whether a pre-tokenizer is of the two makes that the fast encoder reads as it stands.

    These are the pattern of GPT-2 in ByteLevel, or patterns of its own before a ByteLevel without.
    Of others it may take less than is there, and say nothing.
    """
    *before, last = [*list_parts(fields.get("pre_tokenizer"))] or [{}]
    if last.get("type") != LETTERS or last.get("add_prefix_space", True):
        return False
    return bool(last.get("use_regex", True)) != bool(before) and all(map(_isolates, before))


def _isolates(part: Part) -> bool:
    """Say whether a pre-tokenizer makes pieces of what its pattern matches, each by itself."""
    how = part.get("behavior"), bool(part.get("invert"))
    return part["type"] == "Split" and how in (("Isolated", False), (REMOVED, True))


@njit
def find_new(text: Text, new: Bools) -> Bools:
    """Return which of D texts have a character that is `new`, by code point; the last for all more.

    No ASCII character may be.

    >>> find_new(Text.view(pa.array(["e", "é"])), np.arange(256) == ord("é")).tolist()
    [False, True]
    """
    found_D = np.zeros(len(text.offsets) - 1, np.bool_)
    for document in range(len(found_D)):
        at, end = text.offsets[document], text.offsets[document + 1]
        while at < end and not found_D[document]:
            if at + WORD <= end and not read_word(text.data, at) & BEYOND_ASCII:
                at += WORD
                continue
            point, at = read_point(text.data, at)
            found_D[document] = new[min(point, len(new) - 1)]
    return found_D


@cache
def _list_new() -> Bools:
    """Return for each code point of the known planes, and one for all others, whether it is new."""
    kinds = (unicodedata.category(chr(code)) == "Cn" for code in range(KNOWN_PLANES))
    return np.append(np.fromiter(kinds, np.bool_, KNOWN_PLANES), True)
