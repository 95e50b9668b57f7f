"""The vocabulary of chunks: the words of every chunk seen by this process, and what they are like.

A chunk is a run of non-space characters. Chunks are told apart by a 64-bit hash. New ones are split
by the kernel where it can, else by spaCy; both write the same entries, so results do not depend on
what was seen before, and the vocabulary may be forgotten at any time.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np

from pipelines.words.character_tables import (
    ENDS_SENTENCE,
    LETTER,
    NOT_PUNCTUATION,
    UNICODE_PUNCTUATION,
    list_units,
    mark_character,
    tabulate_characters,
)
from pipelines.words.compiled import njit
from pipelines.words.english import LONGEST, ORTH, Tokenizer, english, plain, split_words
from pipelines.words.hashing import find_slot, hash_bytes, hash_text, make_set
from pipelines.words.points import (
    UNKNOWN,
    Points,
    Rules,
    decode,
    hash_part,
    make_points,
)
from pipelines.words.splitting import pair_words, split_chunk
from weighting.arrays import Bools, Int32s, Int64s, Structs, Uint8s, Uint16s, Uint64s

CHUNK_LIMIT = 2**19  # chunks after which the vocabulary is emptied: some 60 MB
WORD_LIMIT = 2**22  # likewise words: some 100 MB, where chunks are long and made of marks
STEP = 2**16  # chunks looked up at a time

WORD = np.dtype(
    [("hash", np.uint64), ("chars", np.int32), ("bytes", np.int32), ("flags", np.uint16)],
    align=True,
)
CHUNK = np.dtype([("first", np.int32), ("words", np.int32)], align=True)


class Tables(NamedTuple):
    """A vocabulary's arrays: a table of hashes that leads to chunks, and these to their words.

    keys    ·   ·   h2  ·   h1  ·        places by hash, mostly free
    slots           1       0
    chunks  [first 0, words 1]  [first 1, words 3]  …
    words   word of h1,  three words of h2,  …
    """

    keys: Uint64s
    slots: Int32s  # the place in `chunks` of each key
    chunks: Structs  # CHUNK
    words: Structs  # WORD
    sizes: Int64s  # chunks and words in use


class Splitter(NamedTuple):
    """A way to split chunks: what the kernel knows of a tokenizer, and that for what it leaves.

    `salt` is added to the hashes of its chunks: a vocabulary has those of several ways.
    """

    rules: Rules
    tokenizer: Tokenizer
    salt: np.uint64


class Vocabulary:
    """Chunks seen so far, and their words: of English, and of other languages."""

    def __init__(self) -> None:
        self.english = make_splitter(english(), 0)
        self.forget()

    @cached_property
    def foreign(self) -> Splitter:
        """How chunks of other languages than English are split."""
        return make_splitter(plain(), hash_text("foreign"))

    def forget(self) -> None:
        """Empty it."""
        self.keys = np.zeros(2**12, np.uint64)
        self.slots = np.zeros(2**12, np.int32)
        self.chunks = np.empty(2**11, CHUNK)
        self.words = np.empty(2**12, WORD)
        self.sizes = np.zeros(2, np.int64)  # chunks, words

    def look_up(
        self, data: Uint8s, starts_N: Int64s, ends_N: Int64s, foreign_N: Bools | None = None
    ) -> Int32s:
        """Return the place in `chunks` of N chunks given by their bytes, int32 [N].

        `foreign_N` says which of them are of other languages than English; None: none is.
        """
        if self.sizes[0] > CHUNK_LIMIT or self.sizes[1] > WORD_LIMIT:
            self.forget()
        if foreign_N is None:
            return self._look_up(data, starts_N, ends_N, self.english)
        slots_N = np.empty(len(starts_N), np.int32)
        for splitter, chosen_N in ((self.english, ~foreign_N), (self.foreign, foreign_N)):
            slots_N[chosen_N] = self._look_up(data, starts_N[chosen_N], ends_N[chosen_N], splitter)
        return slots_N

    def _look_up(
        self, data: Uint8s, starts_N: Int64s, ends_N: Int64s, splitter: Splitter
    ) -> Int32s:
        slots_N = np.empty(len(starts_N), np.int32)
        done = 0
        while done < len(starts_N):
            todo = slice(done, done + STEP)
            length = len(starts_N[todo])
            self._reserve(length, int((ends_N[todo] - starts_N[todo]).sum()))
            unknown = np.empty(length, np.int64)
            tables = Tables(self.keys, self.slots, self.chunks, self.words, self.sizes)
            bounds = np.stack([starts_N[todo], ends_N[todo]])
            kernel = splitter.rules, splitter.salt
            left = look_up(data, bounds, tables, *kernel, slots_N[todo], unknown)
            for at in unknown[:left] + done:
                chunk = bytes(data[starts_N[at] : ends_N[at]]).decode()
                self._enter(int(slots_N[at]), split_words(chunk, splitter.tokenizer))
            done += STEP
        return slots_N

    def _reserve(self, chunks: int, words: int) -> None:
        """Make room for so many more chunks, with so many words at the most.

        Kernels cannot make arrays grow that they were handed, so there is room before they start.
        """
        self.chunks = _grow(self.chunks, int(self.sizes[0]) + chunks)
        self.words = _grow(self.words, int(self.sizes[1]) + words)
        if len(self.keys) < 2 * len(self.chunks):
            self.keys, self.slots = rehash(self.keys, self.slots, 2 * len(self.chunks))

    def _enter(self, slot: int, words: list[str]) -> None:
        """Enter the words of a chunk that spaCy has split."""
        first = int(self.sizes[1])
        self.words = _grow(self.words, first + len(words))
        for at, word in enumerate(words, start=first):
            self.words[at] = describe(word)
        self.chunks[slot] = first, len(words)
        self.sizes[1] += len(words)


def make_splitter(tokenizer: Tokenizer, salt: int) -> Splitter:
    """Return the splitter that does as a tokenizer of spaCy's with English affixes does."""
    specials, pairs = (make_set(hashes) for hashes in _hash_specials(tokenizer))
    units = make_set([hash_text(unit) for unit in list_units()])
    rules = Rules(tabulate_characters(tokenizer), specials, pairs, units)
    return Splitter(rules, tokenizer, np.uint64(salt))


def describe(word: str) -> tuple[int, int, int, int]:
    """Return a word's entry (WORD), as the kernel does for the words that it splits."""
    marks = [mark_character(character) for character in word]
    some = int(np.bitwise_or.reduce(marks)) & (NOT_PUNCTUATION | LETTER)
    every = int(np.bitwise_and.reduce(marks)) & UNICODE_PUNCTUATION
    ends = marks[0] & ENDS_SENTENCE if len(word) == 1 else 0
    return hash_text(word), len(word), len(word.encode()), some | every | ends


def _grow(array: Structs, size: int) -> Structs:
    if size <= len(array):
        return array
    grown = np.empty(max(size, 2 * len(array)), array.dtype)
    grown[: len(array)] = array
    return grown


def _hash_specials(tokenizer: Tokenizer) -> tuple[list[int], list[int]]:
    """Return the hashes of the special cases, and of what the second pass may join.

    The second pass looks for the special cases that have affixes among the words of a text, and
    puts their own words in. Those that it would change are known by their first two words, or the
    only one.
    """
    plain = Tokenizer(
        tokenizer.vocab,
        prefix_search=tokenizer.prefix_search,
        suffix_search=tokenizer.suffix_search,
        infix_finditer=tokenizer.infix_finditer,
        url_match=tokenizer.url_match,
    )
    joined = []
    for special, parts in tokenizer.rules.items():
        words = [str(token) for token in plain(special)]
        if not _has_affix(tokenizer, special) or words == [part[ORTH] for part in parts]:
            continue
        hashes = [np.uint64(hash_text(word)) for word in words]
        joined.append(int(hashes[0] if len(hashes) == 1 else pair_words(*hashes[:2])))
    return [hash_text(special) for special in tokenizer.rules], joined


def _has_affix(tokenizer: Tokenizer, text: str) -> bool:
    return bool(
        tokenizer.find_prefix(text)
        or tokenizer.find_infix(text)
        or tokenizer.find_suffix(text)
        or " " in text
    )


@njit
def rehash(keys: Uint64s, slots: Int32s, size: int) -> tuple[Uint64s, Int32s]:
    """Return a table of at least `size` places with the same entries."""
    length = len(keys)
    while length < size:
        length *= 2
    new_keys, new_slots = np.zeros(length, np.uint64), np.zeros(length, np.int32)
    for at in range(len(keys)):
        if keys[at] != np.uint64(0):
            place = find_slot(new_keys, keys[at])
            new_keys[place], new_slots[place] = keys[at], slots[at]
    return new_keys, new_slots


@njit
def look_up(
    data: Uint8s,
    bounds_2xN: Int64s,
    tables: Tables,
    rules: Rules,
    salt: np.uint64,
    slots_N: Int32s,
    unknown_N: Int64s,
) -> int:
    """Look N chunks up, enter the new ones, and return how many of those spaCy has to split.

    `unknown_N` gets their places; an entry is made for them, without words. Chunk n is the bytes
    from bounds_2xN[0, n] to bounds_2xN[1, n].
    """
    keys, slots, chunks, words, sizes = tables
    points, cuts = make_points(), np.empty(LONGEST + 1, np.int32)
    left = 0
    for at in range(bounds_2xN.shape[1]):
        start, end = bounds_2xN[0, at], bounds_2xN[1, at]
        key = hash_bytes(data, start, end) + salt
        place = find_slot(keys, key)
        if keys[place] == np.uint64(0):
            # Entered before it is split: if it comes again in this batch it is not split again,
            # even where its words are still to come from spaCy.
            keys[place], slots[place] = key, sizes[0]
            chunks[sizes[0]].first, chunks[sizes[0]].words = sizes[1], 0
            count = decode(data, start, end, points)
            size = UNKNOWN
            if count != UNKNOWN:
                size = split_chunk(points, count, rules, cuts)
            if size == UNKNOWN:
                unknown_N[left] = at
                left += 1
            else:
                enter(points, cuts[:size], rules.flags, words, sizes[1])
                chunks[sizes[0]].words = size
                sizes[1] += size
            sizes[0] += 1
        slots_N[at] = slots[place]
    return left


@njit
def enter(points: Points, cuts_W: Int32s, flags: Uint16s, words: Structs, first: int) -> None:
    """Write the entries of a chunk's W words, which end at `cuts_W`, from words[first] on."""
    start = 0
    for at in range(len(cuts_W)):
        end = cuts_W[at]
        # A flag of the word says that some character has it, or that every one does.
        some, every = np.uint16(0), np.uint16(0xFFFF)
        for code in points.codes[start:end]:
            some |= flags[code]
            every &= flags[code]
        kept = some & (NOT_PUNCTUATION | LETTER) | every & UNICODE_PUNCTUATION
        if end - start == 1:
            kept |= every & ENDS_SENTENCE
        word = words[first + at]
        word.hash = hash_part(points, start, end)
        word.chars, word.bytes = end - start, points.ends[end] - points.ends[start]
        word.flags = kept
        start = end
