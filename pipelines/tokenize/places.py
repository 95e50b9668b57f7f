"""The place of each token in its text: the first of its characters.

Where the tokens' spellings, one after another, are the text's bytes, the lengths of the tokens
before it give a token's place. Of all other texts, `tokenizers` is asked.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from pipelines.words.compiled import njit
from weighting.arrays import Bools, Int32s, Int64s, Uint8s, Uint32s, Uint64s
from weighting.vocabulary import Vocabulary

WORD = 8  # bytes
MASKS = np.array([2 ** (8 * size) - 1 for size in range(WORD + 1)], np.uint64)  # of so many bytes
NO_TEXT = b"\xff"  # no UTF-8 has this byte, so a type that is spelled so equals no piece of text


class Spelled(NamedTuple):
    """The bytes of V types one after another, and by type the first WORD of them as a number."""

    letters: Uint8s
    begins_V1: Int64s
    heads_V: Uint64s


class Spelling:
    """The bytes of all types of a vocabulary in one array, for comparing tokens with texts."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        silent = vocabulary.unspelled
        spelled = [
            NO_TEXT if number in silent else token for number, token in enumerate(vocabulary.tokens)
        ]
        heads = b"".join(token[:WORD].ljust(WORD, b"\0") for token in spelled)
        self._spelled = Spelled(
            letters=np.frombuffer(b"".join(spelled), np.uint8),
            begins_V1=np.cumsum([0, *map(len, spelled)]),
            heads_V=np.frombuffer(heads, np.dtype("<u8")).astype(np.uint64),
        )

    def match(self, ids_N: Uint32s, offsets_D1: Int64s, texts: Sequence[bytes]) -> Bools:
        """Return of which of D texts, in UTF-8, the tokens spell exactly the bytes."""
        blob = np.frombuffer(b"".join(texts), np.uint8)
        bounds_D1 = np.cumsum([0, *map(len, texts)])
        same_D = np.empty(len(texts), np.bool_)
        compare(ids_N, offsets_D1, self._spelled, blob, bounds_D1, same_D)
        return same_D


@njit
def compare(
    ids_N: Uint32s,
    offsets_D1: Int64s,
    spelled: Spelled,
    blob: Uint8s,
    bounds_D1: Int64s,
    same_D: Bools,
) -> None:
    """Set `same_D` where the tokens of a document spell its bytes, which lie in `blob`."""
    for document in range(len(same_D)):
        at, end, differs = bounds_D1[document], bounds_D1[document + 1], np.uint64(0)
        for number in range(offsets_D1[document], offsets_D1[document + 1]):
            begin = spelled.begins_V1[ids_N[number]]
            size = spelled.begins_V1[ids_N[number] + 1] - begin
            if at + size > end:
                differs = np.uint64(1)
                break
            # Most tokens are no longer than a word: one comparison, and no branch that is guessed.
            step = 0
            if at + WORD <= len(blob):
                head = spelled.heads_V[ids_N[number]]
                differs |= (read_word(blob, at) ^ head) & MASKS[min(size, WORD)]
                step = WORD
            for place in range(step, size):
                differs |= np.uint64(blob[at + place] ^ spelled.letters[begin + place])
            at += size
        same_D[document] = not differs and at == end


@njit
def read_word(blob: Uint8s, at: int) -> np.uint64:
    """Return WORD bytes as a number, the first the lowest; the compiler makes it one load."""
    word = np.uint64(0)
    for place in range(WORD):
        word |= np.uint64(blob[at + place]) << np.uint64(8 * place)
    return word


def read_places(spans: Sequence[tuple[int, int]], size: int, whole: bool) -> Int32s:
    """Return the first characters of the tokens of a text of `size` characters, int32.

    `spans` are the tokens' characters as `tokenizers` says them, ends exclusive. `whole` asks that
    each character is in one of them. It is not asked where a normalizer makes one character of
    several: the library names the first of these alone, and the others follow it.

    Raises:
        ValueError: the spans are no places of such a text; the message says in which way.
    """
    starts_N = follow_places(spans, size)
    if size and (not len(starts_N) or starts_N[0]):
        raise ValueError("its first character is in no token")
    ends_N = np.array(spans, np.int64).reshape(-1, 2)[:, 1]
    reached_N = np.maximum.accumulate(np.concatenate([[0], ends_N]))
    if whole and (reached_N[-1] < size or (reached_N[:-1] < starts_N).any()):
        gaps = np.flatnonzero(reached_N[:-1] < starts_N)
        at = int(reached_N[gaps[0]]) if len(gaps) else int(reached_N[-1])
        raise ValueError(f"character {at} of it is in no token")
    return starts_N


def follow_places(spans: Sequence[tuple[int, int]], size: int) -> Int32s:
    """Return the first characters of tokens that may leave some out, otherwise as `read_places`.

    Raises:
        ValueError: they are not in order, or none of such a text.
    """
    pairs_Nx2 = np.array(spans, np.int64).reshape(-1, 2)
    starts_N = pairs_Nx2[:, 0]
    if (np.diff(starts_N) < 0).any() or pairs_Nx2.max(initial=0) > size:
        raise ValueError("its tokens do not follow the text")
    return starts_N.astype(np.int32)


def find_bytes(
    ids_N: Uint32s,
    offsets_D1: Int64s,
    known: Mapping[int, Int32s],
    texts: Sequence[bytes],
    vocabulary: Vocabulary,
) -> Int64s:
    """Return the index of each token's first byte in its document's text, in UTF-8, int64 [N].

    Every document's last token is its end of text, which gets the length of the text. `known` are
    the places in characters, without that one, in documents whose tokens do not spell the text.
    """
    counts_D = np.diff(offsets_D1)
    spelled_D = np.ones(len(texts), np.bool_)
    spelled_D[[*known]] = False
    lengths_N = np.where(np.repeat(spelled_D, counts_D), vocabulary.bytes_V[ids_N], 0)
    within_N = np.cumsum(lengths_N) - lengths_N
    starts_N = within_N - np.repeat(within_N[offsets_D1[:-1]], counts_D)
    for document, places in known.items():
        first = offsets_D1[document]
        starts_N[first : first + len(places)] = _list_leads(texts[document])[places]
    starts_N[offsets_D1[1:] - 1] = [*map(len, texts)]
    return np.asarray(starts_N, np.int64)


def find_characters(
    ids_N: Uint32s,
    offsets_D1: Int64s,
    known: Mapping[int, Int32s],
    texts: Sequence[str],
    vocabulary: Vocabulary,
) -> Int32s:
    """Return the index of each token's first character in its document's text, int32 [N].

    As `find_bytes`. A token that begins inside a character gets that character.
    """
    parts = [text.encode() for text in texts]
    blob = np.frombuffer(b"".join(parts), np.uint8)
    leads = np.concatenate([[0], np.cumsum((blob & 0xC0) != 0x80)])  # characters begun before
    counts_D = np.diff(offsets_D1)
    bytes_D = np.array([*map(len, parts)], np.int64)
    first_N = find_bytes(ids_N, offsets_D1, known, parts, vocabulary)
    first_N += np.repeat(np.cumsum(bytes_D) - bytes_D, counts_D)
    inside_N = np.zeros(len(first_N), np.int64)
    before_end = first_N < len(blob)
    inside_N[before_end] = (blob[first_N[before_end]] & 0xC0) == 0x80
    sizes_D = np.array([*map(len, texts)], np.int64)
    chars_N = leads[first_N] - inside_N - np.repeat(np.cumsum(sizes_D) - sizes_D, counts_D)
    starts_N: Int32s = chars_N.astype(np.int32)
    starts_N[offsets_D1[1:] - 1] = sizes_D
    return starts_N


def _list_leads(text: bytes) -> Int64s:
    """Return the first byte of each character of a text, and the length of the text."""
    blob = np.frombuffer(text, np.uint8)
    return np.append(np.flatnonzero((blob & 0xC0) != 0x80), len(text))
