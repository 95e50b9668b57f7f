"""Shares in per cent that are not rounded to what they are not: some is not 0, most is not all."""


def format_share(part: float, whole: float = 1.0, digits: int = 1) -> str:
    """Return `part` of `whole`, which is above 0, in per cent, without the sign.

    What would round to 0 and is more is "<" the smallest number shown; what would round to 100 and
    is less is ">" the largest number below it.
    """
    text = f"{100 * part / whole:.{digits}f}"
    step = 10.0**-digits
    if part > 0 and float(text) == 0:
        return f"<{step:.{digits}f}"
    if part < whole and float(text) == 100:
        return f">{100 - step:.{digits}f}"
    return text
