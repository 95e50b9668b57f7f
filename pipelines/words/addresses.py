"""Kernel: the addresses (hosts and URLs) that spaCy leaves whole."""

from pipelines.words.character_tables import DIGIT, LOWER_CLASS
from pipelines.words.compiled import njit
from pipelines.words.points import UNKNOWN
from weighting.arrays import Int32s, Uint16s

DOT, MINUS, PLUS, UNDERSCORE, AT = ord("."), ord("-"), ord("+"), ord("_"), ord("@")
COLON, SLASH = ord(":"), ord("/")
PATH_STARTS = (SLASH, ord("?"), ord("#"))
HOST_FROM = 0xA1  # the first of the characters beyond ASCII that a host may hold
LABEL, TOP_LEVEL = 64, 63  # most characters of a host's labels


@njit
def is_address(points: Int32s, first: int, last: int, flags: Uint16s) -> int:
    """Say whether spaCy takes points [first, last) for an address: 1, 0 or UNKNOWN."""
    for at in range(first, last):
        if points[at] == AT:
            return UNKNOWN  # a user's name comes first, perhaps
    found = is_host(points, first, last, flags)
    if found:
        return found
    at = first
    while at < last and points[at] != COLON:
        if points[at] >= HOST_FROM:
            return UNKNOWN
        letter = is_host_letter(points[at], flags)
        if not letter and points[at] not in (DOT, MINUS, UNDERSCORE, PLUS):
            return 0
        at += 1
    if at - first < 2 or at + 2 >= last or points[at + 1] != SLASH or points[at + 2] != SLASH:
        return 0
    return is_host(points, at + 3, last, flags)


@njit
def is_host(points: Int32s, first: int, last: int, flags: Uint16s) -> int:
    """Say whether points [first, last) are a host, then a port, a path or nothing: 1, 0, UNKNOWN.

    Four numbers with dots are UNKNOWN, because some of them are addresses and some are not.
    """
    top, end, numbers = scan_host(points, first, last, flags)
    if top == UNKNOWN:
        return 0
    if numbers == 4:
        return UNKNOWN
    if top == first or not 2 <= end - top <= TOP_LEVEL:
        return 0
    # The last label may have hyphens and digits by the letter of the rule, yet no top level has.
    for at in range(top, end):
        if not flags[points[at]] & LOWER_CLASS:
            return 0
    end = skip_port(points, end, last, flags)
    return 1 if end == last or (end != UNKNOWN and points[end] in PATH_STARTS) else 0


@njit
def scan_host(points: Int32s, first: int, last: int, flags: Uint16s) -> tuple[int, int, int]:
    """Return where the last label of a host begins and ends, and the labels if all are numbers.

    UNKNOWN for its begin if what precedes it is not a label.
    """
    start, labels, letters, at = first, 1, False, first
    while at < last and (
        is_host_letter(points[at], flags) or points[at] in (DOT, MINUS, UNDERSCORE)
    ):
        if points[at] == DOT:
            if not is_label(points, start, at, flags):
                return UNKNOWN, at, 0
            start, labels = at + 1, labels + 1
        elif not flags[points[at]] & DIGIT:
            letters = True
        at += 1
    return start, at, 0 if letters else labels


@njit
def is_label(points: Int32s, first: int, last: int, flags: Uint16s) -> bool:
    """Say whether points [first, last), all of which may be in a host, make a label of one."""
    if not 0 < last - first <= LABEL:
        return False
    return is_host_letter(points[first], flags) and is_host_letter(points[last - 1], flags)


@njit
def is_host_letter(point: int, flags: Uint16s) -> bool:
    """Say whether a label of a host may begin and end with a character."""
    if point >= HOST_FROM:
        return True
    return flags[point] & DIGIT != 0 or 65 <= point <= 90 or 97 <= point <= 122


@njit
def skip_port(points: Int32s, at: int, last: int, flags: Uint16s) -> int:
    """Return the place after the port at `at`, if there is one; UNKNOWN after a bad one."""
    if at == last or points[at] != COLON:
        return at
    end = at + 1
    while end < last and flags[points[end]] & DIGIT:
        end += 1
    return end if 2 <= end - at - 1 <= 5 else UNKNOWN
