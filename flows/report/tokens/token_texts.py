"""Tokens as they are read: the text that each stands at, or the bytes of a part of a character."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from flows.graphemes import set_apart
from flows.report.tokens.sidecars import END, Vocabulary
from weighting.arrays import AnyArray, Int32s


def show_tokens(text: str, ids_N: AnyArray, starts_M: Int32s, vocabulary: Vocabulary) -> list[str]:
    """Return what stands at the first N of a document's M tokens; END at its end of text.

    A character made by several tokens stands at the first of them; the others show nothing.
    """
    starts_N, borders = starts_M[: len(ids_N)], np.unique(np.append(starts_M, len(text)))
    places_N = np.searchsorted(borders, starts_N, "right")
    ends_N = borders[np.minimum(places_N, len(borders) - 1)]
    ends_N = np.where(np.diff(starts_N, prepend=-1) > 0, ends_N, starts_N)
    rows = zip(
        (ids_N == vocabulary.eos_id).tolist(), starts_N.tolist(), ends_N.tolist(), strict=True
    )
    return [END if is_end else text[start:end] for is_end, start, end in rows]


def spell(pieces: Sequence[bytes]) -> list[str]:
    """Return the text of tokens that are pieces of UTF-8.

    A character made by several tokens is shown at the token with its first byte; the others
    get what they begin, which may be nothing. Bytes that are not UTF-8 become �.
    """
    blob = b"".join(pieces)
    leads = np.flatnonzero((np.frombuffer(blob, np.uint8) & 0xC0) != 0x80)
    cuts = np.cumsum([0, *map(len, pieces)])
    # Each cut moves on to the next byte that begins a character.
    begins = np.append(leads, len(blob))[np.searchsorted(leads, cuts)]
    begins[0] = 0
    return [blob[a:b].decode("utf-8", "replace") for a, b in pairwise(begins.tolist())]


def quote(piece: bytes, text: str = "", marks: str = "“”") -> str:
    """Return a token as the text that it stands at; one that is part of a character as bytes."""
    try:
        spelled = piece.decode()
    except UnicodeDecodeError:
        return f"bytes {piece.hex(' ')}"
    return set_apart(text or spelled).join(marks or ("", ""))


def name_type(vocabulary: Vocabulary, token_id: int) -> str:
    """Return a type as it is read by itself."""
    (piece,) = vocabulary.list_pieces(np.array([token_id]))
    return quote(piece, marks="")
