"""Kernel: the infixes at which spaCy cuts what is left of a chunk without its affixes."""

import numpy as np

from pipelines.words.addresses import is_address
from pipelines.words.character_tables import (
    ALPHA_CLASS,
    DIGIT,
    DOT_AFTER,
    DOT_BEFORE,
    HYPHEN,
    INFIX,
)
from pipelines.words.compiled import njit
from pipelines.words.points import UNKNOWN
from weighting.arrays import Int32s, Uint16s

DOT, COMMA, MINUS, EM_DASH = ord("."), ord(","), ord("-"), ord("\N{EM DASH}")
SIGNS = (ord("+"), MINUS, ord("*"), ord("^"))
RELATIONS = (ord(":"), ord("<"), ord(">"), ord("="), ord("/"))


@njit
def find_infix(points: Int32s, first: int, at: int, last: int, flags: Uint16s) -> int:
    """Return the length of the infix of points [first, last) that begins at `at`, 0 for none."""
    if at == first:  # every infix has something before it
        return 0
    point, before = points[at], flags[points[at - 1]]
    after = flags[points[at + 1]] if at + 1 < last else np.uint16(0)
    if point == DOT:
        run = count_run(points, at, last)
        return run if run > 1 else 1 if before & DOT_BEFORE and after & DOT_AFTER else 0
    if flags[point] & INFIX:
        return 1
    if point in SIGNS and before & DIGIT and is_operand(points, at + 1, last, flags):
        return 1
    if flags[point] & HYPHEN:
        return find_hyphens(points, at, last, flags) if before & (ALPHA_CLASS | DIGIT) else 0
    if point == COMMA:
        return 1 if before & ALPHA_CLASS and after & ALPHA_CLASS else 0
    if point in RELATIONS:
        return 1 if before & (ALPHA_CLASS | DIGIT) and after & ALPHA_CLASS else 0
    return 0


@njit
def is_operand(points: Int32s, at: int, last: int, flags: Uint16s) -> bool:
    """Say whether there is a digit or a minus sign at `at`."""
    return at < last and (points[at] == MINUS or flags[points[at]] & DIGIT != 0)


@njit
def count_run(points: Int32s, at: int, last: int) -> int:
    """Return how often the point at `at` is repeated from there on."""
    end = at + 1
    while end < last and points[end] == points[at]:
        end += 1
    return end - at


@njit
def find_hyphens(points: Int32s, at: int, last: int, flags: Uint16s) -> int:
    """Return the length of the hyphens at `at`, after a letter or digit, if a letter follows."""
    run = count_run(points, at, last)
    most = 3 if points[at] == MINUS else 2 if points[at] == EM_DASH else 1
    follows = at + run < last and flags[points[at + run]] & ALPHA_CLASS
    return run if follows and run <= most else 0


@njit
def cut_infixes(
    points: Int32s, first: int, last: int, flags: Uint16s, cuts: Int32s, size: int
) -> int:
    """Append the ends of the words in points [first, last) to `cuts`; return its size."""
    at, start, address = first, first, 0
    # Every address has a dot inside, and few chunks do: the costly look is for these alone.
    for place in range(first, last - 1):
        address |= points[place] == DOT
    if address:
        address = is_address(points, first, last, flags)
        if address == UNKNOWN:
            return UNKNOWN
        at = last if address else first  # an address is left whole: no infix is looked for
    while at < last:
        length = find_infix(points, first, at, last, flags)
        if length:
            if at > start:
                cuts[size] = at
                size += 1
            start = at + length
            cuts[size] = start
            size += 1
        at += max(length, 1)
    if start < last:
        cuts[size] = last
        size += 1
    return size
