"""The text before a token, as far as it may tell the token: what is near, far, and said before.

Where a rule goes by what a short context leaves untold, the nearest tokens alone do not tell; what
does stands farther away. Excerpts are cut at words and at graphemes; however long the text, only a
model's context of it is looked at.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from flows.graphemes import cut_around, find_border, set_apart
from flows.mentions import Span, find_mention, find_word
from weighting.arrays import AnyArray
from weighting.policies.golden import GOLDEN
from weighting.signals.registry import SIGNALS
from weighting.signals.signal import Source

CONTEXT = 2048  # tokens that are looked at where no reference says how many it sees
BEFORE, FAR, NEAR, AFTER = 360, 180, 420, 60  # terminal cells; some six are a word
WORD = 40  # characters within which an excerpt's end moves to the end of a word
GAP = " … "


@dataclass(frozen=True)
class Reach:
    """How many tokens before a token are looked at, and how many of them are near; 0: no matter.

    Near are those of which a short context of `short` tokens saw the nearest `short` to 2 `short`.
    """

    context: int = CONTEXT
    near: int = 0


class Part(NamedTuple):
    """A part of what stands before a token; what is left out between two is a part that is GAP."""

    text: str
    near: bool
    mention: bool


class Telling(NamedTuple):
    """A token in the text that it is told by.

    `mention` is how many tokens before its word the same word stands; None: not within reach.
    """

    before: Sequence[Part]
    token: str
    after: str
    mention: int | None


def find_reach(golden: str, reference: Mapping[str, Any] | None) -> Reach:
    """Return what is far and near of the tokens of a run, by its golden rule and its reference."""
    told = reference or {}
    by_short = golden in GOLDEN and SIGNALS[GOLDEN[golden].gain].given_by is Source.SHORT
    return Reach(told.get("context") or CONTEXT, 2 * told.get("short", 0) if by_short else 0)


def tell_before(text: str, starts_N: AnyArray, position: int, reach: Reach) -> Telling:
    """Return what stands before one of N tokens, which begin at `starts_N` in their text.

    The tokens of one character share its place.
    """
    start = int(starts_N[position])
    after = int(np.searchsorted(starts_N, start, "right"))
    end = int(starts_N[after]) if after < len(starts_N) else len(text)
    begin = int(starts_N[max(0, position - reach.context)])
    near = start
    if reach.near:
        near = find_border(text, int(starts_N[max(0, position - reach.near)]))
    word = find_word(text, start, end)
    mention = find_mention(text, word, begin) if word else None
    spans = _merge(_choose(text, begin, Span(near, start), mention))
    before = list(_cut(text, spans, near, mention))
    return Telling(
        before, set_apart(text[start:end]), _show_after(text, end), _count(starts_N, word, mention)
    )


def _choose(text: str, begin: int, near: Span, mention: Span | None) -> Iterator[Span]:
    """Yield what is worth showing: the nearest text, what stands before it, and the mention."""
    start = near.end
    if near.start < start:
        whole = text.rfind(" ", max(0, near.start - WORD), near.start) + 1 or near.start
        yield Span(max(whole, _go_back(text, begin, start, NEAR)), start)
    if mention and mention.start < near.start:
        head, tail = cut_around(text, mention.start, mention.end, FAR // 2)
        stop = min(near.start, _trim_end(text, mention.end, mention.end + len(tail)))
        yield Span(_trim_start(text, mention.start - len(head), mention.start), stop)
        if near.start < start:
            return
    room = FAR if near.start < start else BEFORE
    yield Span(_go_back(text, begin, near.start, room), near.start)


def _cut(text: str, spans: Sequence[Span], near: int, mention: Span | None) -> Iterator[Part]:
    """Yield the parts of some spans, cut where the near text and the mention begin and end."""
    borders = {near, *(mention or ())}
    last = 0
    for span in spans:
        if span.start > last:
            yield Part(GAP, near=False, mention=False)
        inner = sorted({*span, *(one for one in borders if span.start < one < span.end)})
        for low, high in pairwise(inner):
            said = mention is not None and mention.start <= low < mention.end
            yield Part(text[low:high], near=low >= near, mention=said)
        last = span.end


def _merge(spans: Iterable[Span]) -> list[Span]:
    """Return spans in their order, those that meet, or nearly do, as one."""
    merged: list[Span] = []
    for span in sorted(one for one in spans if one.start < one.end):
        if merged and span.start <= merged[-1].end + WORD:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def _go_back(text: str, begin: int, end: int, room: int) -> int:
    """Return where an excerpt of so many cells begins that ends at `end`."""
    start = end - len(cut_around(text, end, end, room)[0])
    return _trim_start(text, start, end) if start > begin else begin


def _show_after(text: str, end: int) -> str:
    stop = _trim_end(text, end, end + len(cut_around(text, end, end, AFTER)[1]))
    return set_apart(text[end:stop]) + "…" * (stop < len(text))


def _trim_start(text: str, start: int, end: int) -> int:
    """Return where the next word begins, if one does soon; the start of a text stays."""
    if start == 0:
        return start
    return next(
        (at for at in range(start, min(end, start + WORD)) if text[at - 1].isspace()), start
    )


def _trim_end(text: str, start: int, end: int) -> int:
    """Return where the last whole word ends, if it does soon; the end of a text stays."""
    if end >= len(text):
        return len(text)
    return next((at for at in range(end, max(start, end - WORD), -1) if text[at].isspace()), end)


def _count(starts_N: AnyArray, word: Span | None, mention: Span | None) -> int | None:
    if word is None or mention is None:
        return None
    at, before = np.searchsorted(starts_N, [word.start, mention.start], "right")
    return int(at - before)
