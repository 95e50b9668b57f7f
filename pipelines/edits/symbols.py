"""Removal of lines of nothing but punctuation and spaces, such as `* * *` and `-----`.

Lines end where `str.splitlines` says; a blank line is none of these and stays. As in the reference
formatter, a text that loses a line has all its line ends written as a line feed and the last one
dropped. (The reference does that to texts that lose nothing too; here they stay as they are.)
"""

from itertools import accumulate, compress, pairwise

from pipelines.edits.spans import Edited, Piece, replace
from pipelines.words.punctuation import PUNCTUATION

SYMBOLS = PUNCTUATION | {" "}
STRIPPED = "".join(sorted(SYMBOLS))


def remove_symbol_lines(text: str) -> Edited:
    """Return the text without its symbol lines."""
    lines = text.splitlines()
    kept = [not _is_symbolic(line) for line in lines]
    if all(kept):
        return Edited(text)
    starts = accumulate(map(len, text.splitlines(keepends=True)), initial=0)
    ranges = [
        (start, start + len(line))
        for start, line in zip(compress(starts, kept), compress(lines, kept), strict=True)
    ]
    return replace(text, _close_gaps(text, ranges))


def _is_symbolic(line: str) -> bool:
    # The first character settles it for nearly all lines.
    return line[:1] in SYMBOLS and not line.strip(STRIPPED) and not line.isspace()


def _close_gaps(text: str, ranges: list[tuple[int, int]]) -> list[Piece]:
    """Return the pieces that leave a line feed between kept lines and nothing around them."""
    if not ranges:
        return [Piece(0, len(text), "")]
    gaps = [
        Piece(end, start, "\n")
        for (_, end), (start, _) in pairwise(ranges)
        if text[end:start] != "\n"
    ]
    return [Piece(0, ranges[0][0], ""), *gaps, Piece(ranges[-1][1], len(text), "")]
