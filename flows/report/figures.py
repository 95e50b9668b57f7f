"""Numbers as they are read: whole, with thousands apart, never in powers of ten."""

import math
from decimal import Decimal

from flows.shares import format_share

NOTHING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
DIGITS = 4  # of a number without a format of its own, from the first that is not 0
SIZES = (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3))
TIMES = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def show_count(value: int | None) -> str:
    """Return a whole number with its thousands apart."""
    return NOTHING if value is None else f"{value:,}".replace("-", MINUS)


def show_percent(share: float | None, digits: int = 1) -> str:
    """Return a share as a percentage; what is not nothing, or not all, never reads so."""
    return NOTHING if share is None else f"{format_share(share, digits=digits)} %"


def show_number(value: float | None, decimals: int | None = None, sign: bool = False) -> str:
    """Return a number with so many decimals; else with at least DIGITS digits, zeros cut off.

    Digits before the point are never rounded away, and `sign` shows a plus too.
    """
    if value is None:
        return NOTHING
    if not math.isfinite(value):
        return str(value).replace("-", MINUS)
    if decimals is None:
        text = f"{value:,.{_count_decimals(value)}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        text = f"{round(value, decimals) + 0.0:,.{decimals}f}"  # 0.0: no sign before nothing
    return (f"+{text}" if sign and value > 0 else text).replace("-", MINUS)


def show_exact(value: float | None) -> str:
    """Return a number with all of its digits, such as a bound that a recipe names."""
    if value is None:
        return NOTHING
    if not math.isfinite(value):
        return str(value)
    text = f"{Decimal(repr(value)):,f}"
    return (text.removesuffix(".0")).replace("-", MINUS)


def show_value(value: object) -> str:
    """Return a setting or a fact: numbers with all of their digits, None as a word."""
    if value is None:
        return "none"
    return show_exact(value) if isinstance(value, float) else str(value)


def show_size(value: int | None) -> str:
    """Return bytes in the unit that leaves one to three digits before the point."""
    if value is None:
        return NOTHING
    for unit, size in SIZES:
        if value >= size:
            return f"{value / size:,.{2 if size >= 1e9 else 1}f} {unit}"
    return f"{value:,} B"


def show_seconds(value: float | None) -> str:
    """Return seconds, from a minute on as its two largest units."""
    if value is None:
        return NOTHING
    if value < 59.95:
        return f"{value:,.1f} s"
    left = round(value)
    parts: list[str] = []
    for unit, size in TIMES:
        if left >= size or parts:
            parts.append(f"{left // size:,} {unit}")
            left %= size
    return " ".join(parts[:2])


def _count_decimals(value: float) -> int:
    """Return how many decimals show DIGITS digits."""
    first = math.floor(math.log10(abs(value))) if value else 0
    return max(0, DIGITS - 1 - first)
