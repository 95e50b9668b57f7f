"""Unicode repair with ftfy: mojibake, HTML entities, terminal escapes, control characters.

What reads as intended is left alone: ligatures, full-width letters, curly quotes, line breaks and
Unicode normal forms stay. The same settings as the FineWeb recipe's.

ftfy treats each line by itself, at about 5 MB/s. So one search over the whole text finds the lines
that any of its steps could change, and only those go through it:

| step | changes nothing without |
|---|---|
| HTML entities, until a line with "<" | `&`, a name or number, `;` |
| terminal escapes, control characters, surrogates | one of these characters |
| C1 controls | one of them |
| mojibake | a match of `ftfy.badness.BADNESS_RE` |

Each of the forty-odd alternatives of that expression has one of these, by ftfy's own categories of
characters ("letters" are the Greek and Cyrillic ones, "special" the rest): a character that is
suspect alone, two special characters side by side, a letter before a `bad` or `upper_accented`
one, or a special character between two letters.
"""

import re
from collections.abc import Iterator

import ftfy
from ftfy.badness import MOJIBAKE_CATEGORIES as KINDS

from pipelines.edits.spans import Edited, Piece, replace

CONFIG = ftfy.TextFixerConfig(
    unescape_html="auto",
    remove_terminal_escapes=True,
    remove_control_chars=True,
    fix_encoding=True,
    fix_surrogates=True,
    fix_latin_ligatures=False,
    fix_character_width=False,
    uncurl_quotes=False,
    fix_line_breaks=False,
    normalization=None,
)
IN_MARKUP = CONFIG._replace(unescape_html=False)


def _join(*kinds: str) -> str:
    """Return the inside of a character class of ftfy's categories."""
    return "".join(KINDS[kind] for kind in kinds)


LETTERS = _join("lower_common", "upper_common")
QUOTES = _join("start_punctuation", "end_punctuation")
MARKS = _join("bad", "box", "currency", "numeric", "law")
ACCENTED = _join("lower_accented", "upper_accented") + "Ù"
ALONE = (
    r"\x00-\x08\x0b\x0e-\x1f\x7f\u206a-\u206f\ufeff\ufff9-\ufffc\ud800-\udfff"
    + KINDS["c1"]
    + "ŒœÃÂЂ"  # what `BADNESS_RE` names beside ASCII, or beside letters alone
)
# All alternatives start with one class of characters, so that `re` skips the rest at full speed.
SUSPECT = re.compile(
    f"""
    [{ALONE}{ACCENTED}{MARKS}{QUOTES}°]
    (?: (?<=[{ALONE}])
      | (?<=[{ACCENTED}]) [{QUOTES}{MARKS}{_join("upper_accented", "common")}°]
      | (?<=[ÎÐ]) [šž]
      | (?<=[{MARKS}]) [{QUOTES}{MARKS}{ACCENTED}{KINDS["kaomoji"]}\N{ACUTE ACCENT}]
      | (?<=[{QUOTES}]) [{MARKS}{ACCENTED}ó]
      | (?<=[{LETTERS}][{_join("bad", "upper_accented")}€])
      | (?<=[{LETTERS}][{QUOTES}{MARKS}°]) [{LETTERS}]
    )
    """,
    re.VERBOSE,
)
ENTITY = re.compile("&#?[0-9A-Za-z]{1,24};")


def repair(text: str) -> Edited:
    """Return the repaired text: valid Unicode, no control characters, entities resolved.

    Equal to `ftfy.fix_text(text, CONFIG)`.
    """
    bracket = text.find("<")
    markup = len(text) if bracket < 0 else _bound_line(text, 0, bracket)[0]
    lines = {*_find_lines(text, SUSPECT, len(text)), *_find_lines(text, ENTITY, markup)}
    return replace(
        text,
        [
            piece
            for start, end in sorted(lines)
            for piece in _repair_line(text[start:end], start, in_markup=start >= markup)
        ],
    )


def _find_lines(text: str, pattern: re.Pattern[str], limit: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of the lines with a match before `limit`, in order."""
    end = 0
    while match := pattern.search(text, end, limit):
        start, end = _bound_line(text, end, match.start())
        yield start, end


def _bound_line(text: str, floor: int, position: int) -> tuple[int, int]:
    """Return start and end of the line around a position; a line starts at `floor` or behind it.

    As ftfy has it: only a line feed ends a line, and so does its limit of a million characters.
    """
    start = max(floor, text.rfind("\n", floor, position) + 1)
    start += (position - start) // CONFIG.max_decode_length * CONFIG.max_decode_length
    limit = min(start + CONFIG.max_decode_length, len(text))
    return start, text.find("\n", position, limit) + 1 or limit


def _repair_line(line: str, offset: int, *, in_markup: bool) -> Iterator[Piece]:
    """Yield what changes in the line that starts at `offset`, word by word where words agree."""
    fixed = ftfy.fix_text(line, IN_MARKUP if in_markup else CONFIG)
    if fixed == line:
        return
    pairs = list(zip(line.split(" "), fixed.split(" "), strict=False))
    if line.count(" ") != fixed.count(" "):
        pairs = [(line, fixed)]
    for before, after in pairs:
        if before != after:
            yield _trim(before, after, offset)
        offset += len(before) + 1


def _trim(before: str, after: str, offset: int) -> Piece:
    """Return the change of one string at `offset` without the start and end they share."""
    start = _count_shared(before, after)
    before, after = before[start:], after[start:]
    end = _count_shared(before[::-1], after[::-1])
    start += offset
    return Piece(start, start + len(before) - end, after[: len(after) - end])


def _count_shared(one: str, other: str) -> int:
    """Return the length of the start that two strings share."""
    differ = (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(differ, min(len(one), len(other)))
