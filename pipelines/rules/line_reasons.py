"""Kernels: the reasons to remove a line, and what it is searched for."""

import numpy as np

from pipelines.rules.own_rules import FEWEST_WORDS, POLICIES
from pipelines.words.compiled import njit
from pipelines.words.hashing import hash_text, make_set
from pipelines.words.punctuation import TERMINATORS
from pipelines.words.text_lines import encode, ends_in, ends_with, matches
from weighting.arrays import Uint8s

REASONS = ("long_word", "unterminated", "short", "javascript", "policy")
LONG_WORD, UNTERMINATED, SHORT, JAVASCRIPT, POLICY = range(len(REASONS))
STAYS = -1  # no reason
CURLY = ord("{")
TERMINAL = encode(".?!\"'")
# Which marks a line has to end in: none, those of the paper, or those of any script.
NO_MARK, LATIN, ANY_SCRIPT = range(3)
QUOTES = "\"'\u2019\u201d\u201c\xbb\xab\u203a\u300d\u300f\u300b"  # that close speech somewhere
ENDINGS = make_set([hash_text(mark) for mark in {*TERMINATORS, *QUOTES}])
DOTS = encode("...")
# What a line is searched for, and the bit that stands for it.
HAS_LOREM, HAS_JAVASCRIPT, HAS_CURLY, HAS_POLICY = 1, 2, 4, 8
# A needle is looked for where its rarest letter is:
#
#     privacy policy      RAREST 3: the v
#     0123                it begins 3 bytes before a v, or nowhere
#
# So most bytes of a line are passed over by one look at RARE_BYTES.
NEEDLES = tuple(map(encode, ("lorem ipsum", "javascript", *POLICIES)))
RAREST = (4, 0, 3, 3, 3, 8, 10, 7)  # m, j, m, v, k, k, k, k
BITS = (HAS_LOREM, HAS_JAVASCRIPT) + (HAS_POLICY,) * len(POLICIES)
RARE_BYTES = np.isin(np.arange(256), [ord(letter) for letter in "mMjJvVkK{"])


@njit
def search(data: Uint8s, start: int, end: int) -> int:
    """Return the bits of what occurs in bytes [start, end), whatever the case."""
    found = 0
    for at in range(start, end):
        if not RARE_BYTES[data[at]]:
            continue
        if data[at] == CURLY:
            found |= HAS_CURLY
            continue
        for needle in range(len(NEEDLES)):
            first = at - RAREST[needle]
            if first >= start and matches(data, first, end, NEEDLES[needle]):
                found |= BITS[needle]
    return found


@njit
def is_terminated(data: Uint8s, start: int, end: int, marks: int) -> bool:
    """Say whether bytes [start, end) end in a terminal punctuation mark and not in an ellipsis."""
    if start == end or ends_with(data, start, end, DOTS):
        return False
    return data[end - 1] in TERMINAL if marks == LATIN else ends_in(data, start, end, ENDINGS)


@njit
def judge_line(data: Uint8s, start: int, end: int, words: int, marks: int) -> tuple[int, int]:
    """Return the reason to remove a line of so many words, STAYS for none, and what occurs in it.

    `marks` says what it has to end in. What occurs is 0 where an earlier reason spares the search.
    LONG_WORD is not looked for here.
    """
    if marks != NO_MARK and not is_terminated(data, start, end, marks):
        return UNTERMINATED, 0
    if words < FEWEST_WORDS:
        return SHORT, 0
    found = search(data, start, end)
    if found & HAS_JAVASCRIPT:
        return JAVASCRIPT, found & ~HAS_CURLY  # the reference is done with the line before a curly
    return POLICY if found & HAS_POLICY else STAYS, found
