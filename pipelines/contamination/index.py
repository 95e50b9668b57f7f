"""The n-grams of evaluation items, and which items hold each.

An item makes as many *variants* as it has answers: the question with one of them (the question
alone if it has no answer). A variant's n-grams are those of its normalised words, with their
numbers (see `text.word_hashes`); one that is shorter than an n-gram is a single one of its own
length. An n-gram that holds a word of the answer is the answer's, and the others are the
question's; one that occurs as both in the same variant is the question's, as finding it does not
show that the answer is there. Where words are graphemes (see `text.unspaced`), n-grams have as many
as tell the same.

N-grams in which fewer than half of the words are different are left out. A number that goes on as
the two before it (1 2 3, 90 80 70) counts as no different word: such rows are in many texts.

The arrays are saved as files and mapped from them, so that all processes share one copy.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from pipelines.contamination.items import Item
from pipelines.settings import GRAPHEMES_A_WORD, ContaminationSettings
from pipelines.text.normal_form import tabulate
from pipelines.text.numbers import NO_NUMBER, read_numbers
from pipelines.text.unspaced import find_graphemes, tabulate_unspaced
from pipelines.text.word_hashes import WordHashes, hash_grams, list_words
from pipelines.words import Text
from pipelines.words.compiled import njit
from pipelines.words.hashing import find_slot
from pipelines.work.arrays import load_array, save_array
from weighting.array_tools import mark_changes, number_groups, to_offsets
from weighting.arrays import Bools, Int32s, Int64s, Uint8s, Uint64s
from weighting.storage.files import replacing

VARIANTS = pa.schema(
    [
        pa.field("set", pa.string(), nullable=False),
        pa.field("item", pa.string(), nullable=False),  # the item's id in its set
        pa.field("question", pa.string(), nullable=False),
        pa.field("answer", pa.string()),  # null: there is a question only
        pa.field("number", pa.int32(), nullable=False),  # the item's, shared by its variants
        pa.field("words", pa.int32(), nullable=False),
        pa.field("question_grams", pa.int32(), nullable=False),  # distinct ones
        pa.field("answer_grams", pa.int32(), nullable=False),
    ]
)
VARIANTS_FILE = "variants.arrow"
QUESTION, ANSWER = range(2)  # kinds of n-grams


class Index(NamedTuple):
    """V variants, G distinct n-grams and P postings: in which variants an n-gram is, and as what.

    `keys_K` is an open-addressing table of hashes (see `words.hashing`), `grams_K` the number of
    the n-gram at each place; the postings of n-gram g are [offsets[g], offsets[g + 1]).
    """

    lengths_L: Int64s  # in words, of all n-grams, ascending
    keys_K: Uint64s
    grams_K: Int32s
    offsets_G1: Int64s
    variants_P: Int32s
    kinds_P: Uint8s  # QUESTION or ANSWER
    variants: pa.Table  # VARIANTS, [V]

    @property
    def totals_Vx2(self) -> Int64s:
        """The number of distinct n-grams of each variant, by kind."""
        names = ("question_grams", "answer_grams")
        return np.stack([self.variants[name].to_numpy() for name in names], 1).astype(np.int64)

    @property
    def hidden(self) -> pa.Table:
        """The variants (VARIANTS) that have no n-gram, too short mostly: they cannot be found."""
        return self.variants.filter(pa.array(self.totals_Vx2.sum(1) == 0))


ARRAYS = tuple(name for name in Index._fields if name != "variants")


class _Grams(NamedTuple):
    """N-grams of variants."""

    hashes_M: Uint64s
    variants_M: Int64s
    kinds_M: Uint8s

    def take(self, places: Int64s | Bools) -> "_Grams":
        """Return those at some places, or those marked."""
        return _Grams(self.hashes_M[places], self.variants_M[places], self.kinds_M[places])


def build_index(items: Iterable[Item], settings: ContaminationSettings) -> Index:
    """Return the index of the items, which is the same for any order of them."""
    ordered = sorted(items)
    questions = [item.question for item in ordered for _ in item.texts]
    text = Text.view(pa.array([text for item in ordered for text in item.texts], pa.string()))
    word_hashes = list_words(text, keep_numbers=True)
    words_V = np.diff(word_hashes.offsets_D1)
    graphemes_N = find_graphemes(text.data, word_hashes.starts_N, tabulate_unspaced())
    lengths_V = _choose_lengths(words_V, _measure_words(word_hashes, graphemes_N), settings)
    answer_N = _find_answers(text, word_hashes, questions)
    told_N = _join_graphemes(_forget_rows(text, word_hashes), graphemes_N)
    grams = _distinguish(_list_grams(word_hashes, answer_N, told_N, lengths_V))
    hashes_G, starts_G = np.unique(grams.hashes_M, return_index=True)
    totals = np.bincount(2 * grams.variants_M + grams.kinds_M, minlength=2 * len(words_V))
    keys_K, grams_K = _make_table(hashes_G)
    return Index(
        lengths_L=np.unique(lengths_V[lengths_V > 0]),
        keys_K=keys_K,
        grams_K=grams_K,
        offsets_G1=np.append(starts_G, len(grams.hashes_M)),
        variants_P=grams.variants_M.astype(np.int32),
        kinds_P=grams.kinds_M,
        variants=_tabulate(ordered, words_V, totals.reshape(-1, 2)),
    )


def save_index(folder: Path, index: Index) -> None:
    """Write the index into a folder, each file whole or not at all."""
    for name in ARRAYS:
        save_array(folder / f"{name}.npy", getattr(index, name))
    path = folder / VARIANTS_FILE
    with replacing(path) as temporary, pa.ipc.new_file(str(temporary), VARIANTS) as writer:
        writer.write_table(index.variants)


def open_index(folder: Path) -> Index:
    """Return a saved index, mapped from its files; this is cheap and reads next to nothing."""
    arrays = {name: load_array(folder / f"{name}.npy") for name in ARRAYS}
    variants = pa.ipc.open_file(pa.memory_map(str(folder / VARIANTS_FILE))).read_all()
    return Index(**arrays, variants=variants)


def _measure_words(word_hashes: WordHashes, graphemes_N: Bools) -> Int64s:
    """Return how many of a variant's words tell as much as a word: GRAPHEMES_A_WORD or 1, [V]."""
    offsets_V1 = word_hashes.offsets_D1
    graphemes_V = np.diff(to_offsets(graphemes_N)[offsets_V1])
    return np.where(2 * graphemes_V > np.diff(offsets_V1), GRAPHEMES_A_WORD, 1)


def _choose_lengths(words_V: Int64s, units_V: Int64s, settings: ContaminationSettings) -> Int64s:
    """Return the length of the n-grams of V variants of so many words; 0: too short to be found."""
    short_V = np.where(words_V >= settings.least_words * units_V, words_V, 0)
    whole_V = settings.words * units_V
    return np.where(words_V >= whole_V, whole_V, short_V)


def _find_answers(text: Text, word_hashes: WordHashes, questions: list[str]) -> Bools:
    """Return which of the N words are of an answer, which follows its question."""
    ends_V = text.offsets[:-1] + [len(question.encode()) for question in questions]
    return word_hashes.starts_N >= np.repeat(ends_V, np.diff(word_hashes.offsets_D1))


def _forget_rows(text: Text, word_hashes: WordHashes) -> Uint64s:
    """Return the hashes of N words, a number that goes on as the two before it being the last."""
    starts_N, ends_N = word_hashes.starts_N, word_hashes.ends_N
    values_N = read_numbers(text.data, starts_N, ends_N, tabulate().codes)
    goes_on_N = np.zeros(len(values_N), bool)
    goes_on_N[2:] = np.diff(values_N, 2) == 0
    for before in range(3):
        goes_on_N[before:] &= values_N[: len(values_N) - before] != NO_NUMBER
    for place in range(2):  # a row ends with its variant
        firsts_V = word_hashes.offsets_D1[:-1] + place
        goes_on_N[firsts_V[firsts_V < word_hashes.offsets_D1[1:]]] = False
    places_N = np.where(goes_on_N, 0, np.arange(len(values_N)))
    return np.asarray(word_hashes.hashes_N[np.maximum.accumulate(places_N)])


def _join_graphemes(told_N: Uint64s, graphemes_N: Bools) -> Uint64s:
    """Return what tells N words apart: a grapheme, which alone tells little, with the next ones."""
    grams_M, _ = hash_grams(told_N, np.array([0, len(told_N)]), GRAPHEMES_A_WORD)
    joined_N = told_N.copy()
    joined_N[: len(grams_M)] = np.where(
        graphemes_N[: len(grams_M)], grams_M, told_N[: len(grams_M)]
    )
    return joined_N


def _list_grams(
    word_hashes: WordHashes, answer_N: Bools, told_N: Uint64s, lengths_V: Int64s
) -> _Grams:
    """Return the n-grams of V variants, each as often as it occurs; `told_N` tell words apart."""
    parts = [_Grams(np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.uint8))]
    for length in np.unique(lengths_V[lengths_V > 0]).tolist():
        hashes_M, offsets_V1 = hash_grams(word_hashes.hashes_N, word_hashes.offsets_D1, length)
        variants_M = number_groups(offsets_V1)
        firsts_M = np.arange(len(hashes_M)) + (word_hashes.offsets_D1 - offsets_V1)[variants_M]
        kinds_M = answer_N[firsts_M + length - 1].astype(np.uint8)
        chosen_M = lengths_V[variants_M] == length
        chosen_M &= are_varied(told_N, firsts_M, length)
        parts.append(_Grams(hashes_M, variants_M, kinds_M).take(chosen_M))
    return _Grams(
        np.concatenate([part.hashes_M for part in parts]),
        np.concatenate([part.variants_M for part in parts]),
        np.concatenate([part.kinds_M for part in parts]),
    )


def _distinguish(grams: _Grams) -> _Grams:
    """Return each n-gram of a variant once, sorted by hash, then variant."""
    ordered = grams.take(np.lexsort((grams.kinds_M, grams.variants_M, grams.hashes_M)))
    # By kind last, so that of an n-gram that is both the question's comes first, and stays.
    return ordered.take(mark_changes(ordered.hashes_M, ordered.variants_M))


def _tabulate(ordered: list[Item], words_V: Int64s, totals_Vx2: Int64s) -> pa.Table:
    """Return what is known of the variants (VARIANTS)."""
    numbers = [number for number, item in enumerate(ordered) for _ in item.texts]
    items = [ordered[number] for number in numbers]
    columns = {
        "set": [item.set for item in items],
        "item": [item.id for item in items],
        "question": [item.question for item in items],
        "answer": [answer for item in ordered for answer in item.answers or [None]],
        "number": numbers,
        "words": words_V,
        "question_grams": totals_Vx2[:, QUESTION],
        "answer_grams": totals_Vx2[:, ANSWER],
    }
    arrays = [pa.array(columns[field.name], field.type) for field in VARIANTS]
    return pa.Table.from_arrays(arrays, schema=VARIANTS)


def _make_table(hashes_G: Uint64s) -> tuple[Uint64s, Int32s]:
    """Return an open-addressing table of distinct hashes, at most a quarter full, and places."""
    size = 1 << max(4, (4 * len(hashes_G) - 1).bit_length())
    keys_K, grams_K = np.zeros(size, np.uint64), np.zeros(size, np.int32)
    enter_grams(hashes_G, keys_K, grams_K)
    return keys_K, grams_K


@njit
def are_varied(hashes_N: Uint64s, firsts_M: Int64s, length: int) -> Bools:
    """Return which of M n-grams have at least half as many different words as words."""
    varied_M = np.empty(len(firsts_M), np.bool_)
    for gram in range(len(firsts_M)):
        different = 0
        # A dozen words: to compare each with all before it is faster than any set of them.
        for at in range(firsts_M[gram], firsts_M[gram] + length):
            known = False
            for before in range(firsts_M[gram], at):
                known |= hashes_N[before] == hashes_N[at]
            different += not known
        varied_M[gram] = 2 * different >= length
    return varied_M


@njit
def enter_grams(hashes_G: Uint64s, keys_K: Uint64s, grams_K: Int32s) -> None:
    """Enter the hashes and their numbers into an empty table."""
    for gram in range(len(hashes_G)):
        place = find_slot(keys_K, hashes_G[gram])
        keys_K[place], grams_K[place] = hashes_G[gram], gram
