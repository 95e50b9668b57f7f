"""Texts as near-duplicates are compared: small letters, no punctuation, no accents, numbers are 0.

In this order: what leaves nothing is dropped (see `characters`); letters become small and take
their usual shape; every number, with its decimal part, becomes 0; punctuation becomes a space;
white space becomes one space; what is left is decomposed (NFD), and dropped is what that sets free.
Of English text it is datatrove's `simplify_text` with its defaults. Every byte of the result knows
which byte of the source it came from.

What becomes of a character hardly ever depends on its neighbours, so a kernel looks it up in a
table that is read off Python's own Unicode data. Where that is not enough, Python itself treats
the run of non-space characters that holds it, step by step.
"""

import unicodedata
from functools import cache, lru_cache
from itertools import chain
from typing import NamedTuple

import numpy as np

from pipelines.text.characters import decompose, fold, is_blank, is_dropped
from pipelines.text.stepwise import SEPARATORS, simplify
from pipelines.words import Text
from pipelines.words.compiled import njit
from weighting.arrays import Int32s, Int64s, Uint8s

POINTS = 0x110000
# All characters that change are here; the others are ideographs, private ones, and none.
CHANGING = (
    *(range(0x3400), range(0x4DC0, 0x4E00), range(0xA000, 0xD800), range(0xF900, 0x17000)),
    *(range(0x18D00, 0x20000), range(0x2F800, 0x2FA20), range(0xE0000, 0xE0200)),
)
# What becomes of a character, other than a form. The digit of value v is DIGIT - v, and the least.
KEEP, SPACE, DROP, ASK, DIGIT = -1, -2, -3, -4, -5
GROWTH = 3  # a Hangul syllable of 3 bytes becomes three letters of 3 bytes
BLANK, ZERO, NINE = ord(" "), ord("0"), ord("9")
SIGMA = "\N{GREEK CAPITAL LETTER SIGMA}"  # its small letter depends on its place in the word
WORD = 64  # bytes of a run that may well come again


class Normal(NamedTuple):
    """D normalised texts, and for each of their bytes the place of its source in the texts' data.

    The source of byte p of text d is at origins[p + d]: every text has one entry more, which is
    where the source of its last byte ends.
    """

    text: Text
    origins: Int32s


class Output(NamedTuple):
    """Buffers that are filled with `Normal`; the origins are those of one text and what follows it.

    source    C  a  f  é  !  D             bytes  0 1 2 3-4 5 6
    data      c  a  f  e  _  d             the mark of é is dropped, ! becomes a space
    origins   0  1  2  3  5  6  7          the last: where the source of the last byte ends
    """

    data: Uint8s
    origins: Int32s


class Table(NamedTuple):
    """What becomes of characters.

    `codes` [POINTS] holds KEEP, SPACE, DROP, ASK, a digit, or the place in `forms` of a length and
    as many bytes; `classes` [POINTS] the combining class of the last mark that a character leaves,
    0 if it is none; `ascii` what an ASCII character but a digit becomes; `separators` those of
    decimals.
    """

    codes: Int32s
    classes: Uint8s
    forms: Uint8s
    ascii: Uint8s
    separators: Int32s


def normalise(text: Text) -> Normal:
    """Return D texts in normal form; their data must be below 2 GiB, as in an Arrow array."""
    documents = len(text.offsets) - 1
    room = GROWTH * int(text.offsets[-1] - text.offsets[0])
    data = np.empty(room, np.uint8)
    origins = np.empty(room + documents, np.int32)
    offsets = np.zeros(documents + 1, np.int64)
    document, at, size = 0, int(text.offsets[0]), 0
    while True:
        document, at, size = normalise_from(
            text, (document, at, size), tabulate(), Output(data, origins), offsets
        )
        if document == documents:
            break
        # Python treats the run of characters that the kernel stopped at, and the kernel goes on.
        run = bytes(text.data[at : find_blank(text, document, at)])
        simple, places = _simplify_word(run) if len(run) <= WORD else simplify(run)
        data[size : size + len(simple)] = simple
        origins[size + document : size + document + len(simple)] = places[:-1] + at
        at, size = at + int(places[-1]), size + len(simple)
    return Normal(Text(data[:size], offsets), origins[: size + documents])


# Words in Greek capitals are what Python treats most.
_simplify_word = lru_cache(2**14)(simplify)


@cache
def tabulate() -> Table:
    """Ask Python what becomes of each character."""
    codes, classes = np.full(POINTS, KEEP, np.int32), np.zeros(POINTS, np.uint8)
    separators, forms = [], bytearray()
    for point in chain(*CHANGING):
        form = _find_form(chr(point))
        if fold(chr(point)) in SEPARATORS:
            separators.append(point)
        if isinstance(form, int):
            codes[point] = form
            continue
        classes[point] = unicodedata.combining(form[-1])
        if form != chr(point):
            codes[point] = len(forms)
            encoded = form.encode("utf-8", "surrogatepass")
            forms += bytes([len(encoded)]) + encoded
    plain = np.arange(128, dtype=np.uint8)
    for point in range(128):
        if codes[point] == SPACE:
            plain[point] = BLANK
        elif codes[point] >= 0:
            plain[point] = forms[codes[point] + 1]
    return Table(
        codes, classes, np.frombuffer(bytes(forms), np.uint8), plain, np.array(separators, np.int32)
    )


def _find_form(character: str) -> int | str:
    """Return what a character becomes wherever it stands: a form, or what to do with it."""
    if is_dropped(character):
        return DROP
    if character.isdecimal():
        return DIGIT - unicodedata.decimal(character)
    small = "".join(fold(letter) for letter in character.lower())
    if small and all(is_blank(letter) for letter in small):
        return SPACE
    form = decompose(small)
    several_marks = len(form) > 1 and unicodedata.combining(form[0]) > 0
    return ASK if character == SIGMA or several_marks else form or DROP


@njit
def normalise_from(
    text: Text, start: tuple[int, int, int], table: Table, output: Output, offsets: Int64s
) -> tuple[int, int, int]:
    """Write the normal forms of texts, from (document, byte, bytes written) on.

    Return the same three where Python has to go on, up to the end of the run of non-space
    characters; or the number of texts and the ends.
    """
    document, at, size = start
    while document < len(text.offsets) - 1:
        end = text.offsets[document + 1]
        # Text d has d entries more before its own: one for the end of each text.
        own = Output(output.data, output.origins[document:])
        first = offsets[document]
        at, size = normalise_one(text.data, at, end, table, own, first, size)
        if at < end:
            while at > text.offsets[document] and text.data[at - 1] > BLANK:
                at -= 1
            size = turn_back(own, at, first, size)
            return document, own.origins[size], size
        document += 1
        offsets[document] = size
    return document, at, size


@njit
def turn_back(output: Output, at: int, first: int, reached: int) -> int:
    """Return the size that was reached before the run of characters that begins at `at`.

    The spaces that its leading punctuation has become stay: they do not depend on the rest.
    """
    size = reached
    while size > first and output.origins[size - 1] >= at:
        size -= 1
    while size < reached and output.data[size] == BLANK:
        size += 1
    return size


@njit
def find_blank(text: Text, document: int, at: int) -> int:
    """Return where the run ends that holds `at`: at an ASCII space or control character."""
    while at < text.offsets[document + 1] and text.data[at] > BLANK:
        at += 1
    return at


@njit
def normalise_one(
    source: Uint8s, at: int, end: int, table: Table, output: Output, first: int, size: int
) -> tuple[int, int]:
    """Write the normal form of source[at:end] behind `size` bytes, of which `first` are others'.

    Return the place reached, of a character for Python to treat or `end`, and the size reached.
    """
    data, origins = output
    blank = size == first  # whether a space would follow another, or begin the text
    marked, last = at - 1, 0  # where a run of marks ends, and the class of its last one
    while at < end:
        origins[size] = at
        byte = source[at]
        if byte < 0x80 and not ZERO <= byte <= NINE:
            form = table.ascii[byte]
            # No branch, as most text is this: what `size` does not count is written over.
            data[size] = form
            size += not (blank and form == BLANK)
            blank = form == BLANK
            at += 1
            continue
        point, following = read_point(source, at)
        code, rank = table.codes[point], table.classes[point]
        # Marks are sorted by class in a decomposed text: one that is not in order is Python's.
        if code == ASK or (rank and marked == at and rank < last):
            return at, size
        if code == SPACE:
            data[size], size, blank = BLANK, size + (not blank), True
        elif code == DROP:
            marked = following if marked == at else marked
        else:
            size = write_form(source[at:following], at, code, table.forms, output, size)
            blank = False
            if code <= DIGIT:
                following = skip_number(source, following, end, table)
            if rank:
                marked, last = following, rank
        at = following
    origins[size] = end  # the end of the last byte, unless spaces follow: then where they begin
    return end, drop_blanks(data, first, size)


@njit
def drop_blanks(data: Uint8s, first: int, size: int) -> int:
    """Return the size without the spaces at the end of a text that begins at `first`."""
    while size > first and data[size - 1] == BLANK:
        size -= 1
    return size


@njit
def write_form(
    character: Uint8s, at: int, code: int, forms: Uint8s, output: Output, size: int
) -> int:
    """Write what the character at source place `at` becomes, a digit 0; return the size with it."""
    if code <= DIGIT:
        output.data[size] = ZERO  # its origin is there already
        return size + 1
    if code == KEEP:
        for byte in character:
            output.data[size], output.origins[size] = byte, at
            size += 1
        return size
    for place in range(code + 1, code + 1 + forms[code]):  # a length, and as many bytes
        output.data[size], output.origins[size] = forms[place], at
        size += 1
    return size


@njit
def skip_number(source: Uint8s, at: int, end: int, table: Table) -> int:
    """Return where the number ends whose first digit ends at `at`."""
    at = skip_digits(source, at, end, table.codes)
    mark = at
    while mark < end:
        separator, following = read_point(source, mark)
        if table.codes[separator] != DROP:
            for known in table.separators:
                if separator == known:
                    decimals = skip_digits(source, following, end, table.codes)
                    # A separator without a digit after it ends a sentence, or a list's entry.
                    return decimals if decimals > following else at
            break
        mark = following
    return at


@njit
def skip_digits(source: Uint8s, at: int, end: int, codes: Int32s) -> int:
    """Return where the digits end that begin at `at`; what is dropped may lie between them."""
    last = at
    while at < end:
        point, at = read_point(source, at)
        if codes[point] <= DIGIT:
            last = at
        elif codes[point] != DROP:
            break
    return last


@njit
def read_point(source: Uint8s, at: int) -> tuple[int, int]:
    """Return the code point that begins at `at`, and where it ends."""
    lead = int(source[at])
    if lead < 0x80:
        return lead, at + 1
    size = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    point = lead & (0x3F >> (size - 1))
    for place in range(at + 1, at + size):
        point = (point << 6) | (int(source[place]) & 0x3F)
    return point, at + size
