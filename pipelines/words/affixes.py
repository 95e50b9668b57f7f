"""Kernel: the prefixes and suffixes that spaCy takes off a chunk."""

from pipelines.words.character_tables import BEFORE_DOT, DIGIT, PREFIX, SUFFIX, UPPER_CLASS
from pipelines.words.compiled import njit
from pipelines.words.points import UNKNOWN, Points, Rules, contains, hash_part
from weighting.arrays import Int32s, Uint16s

LONGEST_UNIT = 8
DOT, PLUS, DOLLAR, DEGREE = ord("."), ord("+"), ord("$"), ord("°")
ELLIPSIS = ord("\N{HORIZONTAL ELLIPSIS}")
LETTER_S = (ord("s"), ord("S"))
APOSTROPHES = (ord("'"), ord("\N{RIGHT SINGLE QUOTATION MARK}"))
CURRENCY_STARTS = (ord("U"), ord("C"), ord("A"))  # of US$, C$ and A$


@njit
def find_prefix(points: Int32s, first: int, last: int, flags: Uint16s) -> int:
    """Return the length of the prefix of points [first, last), 0 for none, UNKNOWN."""
    point = points[first]
    following = points[first + 1] if first + 1 < last else 0
    if point == DOT:
        at = first
        while at < last and points[at] == DOT:
            at += 1
        return at - first if at - first > 1 else 0
    if point == PLUS:
        return 0 if flags[following] & DIGIT else 1
    # US$, C$ and A$ are prefixes that begin with a letter: too few to be worth their own rule.
    if point in CURRENCY_STARTS:
        third = points[first + 2] if first + 2 < last else 0
        return UNKNOWN if following == DOLLAR or third == DOLLAR else 0
    return 1 if flags[point] & PREFIX else 0


@njit
def find_suffix(points: Points, first: int, last: int, rules: Rules) -> int:
    """Return the length of the suffix of points [first, last), 0 for none, UNKNOWN."""
    if first == last:
        return 0
    flags = rules.flags
    point = points.codes[last - 1]
    before = points.codes[last - 2] if last - 2 >= first else 0  # 0 has no flags
    if point == DOT:
        return find_dots(points.codes, first, last, flags)
    if point == ELLIPSIS and before == ELLIPSIS:
        return UNKNOWN
    if point in LETTER_S and before in APOSTROPHES:
        return 2
    if flags[before] & DIGIT and point == PLUS:
        return 1
    unit = find_unit(points, first, last, rules)
    return unit or (1 if flags[point] & SUFFIX else 0)


@njit
def find_dots(points: Int32s, first: int, last: int, flags: Uint16s) -> int:
    """Return how many final full stops are a suffix."""
    at = last
    while at > first and points[at - 1] == DOT:
        at -= 1
    if last - at > 1:
        return last - at
    if at > first and flags[points[at - 1]] & BEFORE_DOT:
        return 1
    if at - 1 > first and points[at - 2] == DEGREE:
        return UNKNOWN
    # A full stop after two capitals ends a sentence ("NASA."), after one it belongs to it ("J.").
    upper = at - 1 > first and flags[points[at - 1]] & flags[points[at - 2]] & UPPER_CLASS
    return 1 if upper else 0


@njit
def find_unit(points: Points, first: int, last: int, rules: Rules) -> int:
    """Return the length of the unit or currency that follows the last digit, else 0."""
    # Backwards to the nearest digit: what stands after it is a unit as a whole, or there is none.
    for at in range(last - 1, max(first, last - 1 - LONGEST_UNIT) - 1, -1):
        if rules.flags[points.codes[at]] & DIGIT:
            if at + 1 == last:
                return 0
            unit = hash_part(points, at + 1, last)
            return last - at - 1 if contains(rules.units, unit) else 0
    return 0
