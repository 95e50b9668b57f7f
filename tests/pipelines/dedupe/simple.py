"""Texts of all kinds, and their normal form the plain way: the oracle of the compiled one."""

import re
import unicodedata

import pyarrow as pa
from hypothesis import strategies as st

from pipelines.words import Text, split_words

# What is written without spaces: each character, with its marks, is a word.
UNSPACED = re.compile(
    "[\u2e80-\u2fdf\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\ua4cf\uf900-\ufaff"
    "\uff66-\uff9f\U0001aff0-\U0001b16f\U00020000-\U0003ffff]"
)
SCRIPTS = ("THAI", "LAO", "MYANMAR", "KHMER", "TAI", "NEW", "BALINESE", "JAVANESE", "AHOM")
# Marks that stay, by what their names begin with: all but accents, points and what is not seen.
ACCENTS = (
    "COMBINING",
    "HEBREW",
    "ARABIC",
    "SYRIAC",
    "VARIATION",
    "MONGOLIAN FREE",
    "KHMER VOWEL IN",
)
LETTERS = ("KATAKANA", "DEVANAGARI", "OLD", "BINDU", "GRANTHA", "GREEK MUSICAL", "GLAGOLITIC")
FILLERS = {*"\u115f\u1160\u3164\uffa0\u0640"}
VISIBLE = {*map(chr, (*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD))}

# The characters that become a space, as datatrove 0.10 lists them.
PUNCTUATION = {
    *"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~«»´–—“”„’…∶━►、。〈〉《》「」【】％！（），．：；？～１",
    *(chr(point) for point in (*range(9), *range(11, 32), *range(127, 160))),
}

PIECES = (
    *("12,345.67", "3.14", "1,2,3", "x1", "a,1", "\u0663\u066b\u0661", "\uff10\uff11"),
    *("...", "-", "(", ".", ",", "\u00bb", "\u2014", "Don't", "U.S.", "CAF\u00c9", "cafe\u0301"),
    *("water", "cannot", "gonna", "0km", "10 km", "\u0432\u043e\u0434\u0430", "C++", "a@b.org"),
    *("\u0130zmir", "\u00df", "\ufb01", "\u01c5", "\u226e", "\u1ec7", "\u039f\u03a3", "\u03a3"),
    *("\u03a3\u0391\u03a3.", "\u03c2\u00b7\u03a3", "\u03a3\u0344", "\uac00\ub098", "\u65e5\u672c"),
    *("\U0002f800", "\u0958\u094d\u0937", "\U00010400", "\U0001f600", "\U0001f469\u200d\U0001f467"),
    *("\U0001f3f4\U000e0067\U000e007f", "\u1b43\u1b44", "\u302f\u302e\u0300", "\U0001d15e"),
    *("\u0301", " \u0301 ", "\u034f", "\u00ad", "\u200d", "\U000e0100", " ", "  "),
    *(
        "\u092b\u0942\u0932",
        "\u0958\u094d\u093c",
        "\u0e01\u0e33\u0e48",
        "\u0e01\u0e4d\u0e48\u0e32",
        "\u304c",
    ),
    *(
        "\u304b\u3099",
        "\uff76\uff9e",
        "\u0645\u064f\u062d",
        "\ufefb",
        "\u05e9\u05c1\u05dc",
        "\u200b",
        "1\u200b2",
    ),
    *(
        "3\u200d.\u00ad5",
        "\u1780\u17d2\u1798\u17b6",
        "\u0f56\u0f7c\u0f51\u0f0b",
        "\uff21\uff11\uff0e\uff12",
        "\u2f08",
    ),
    *("\u0964", "\U0001d401", "\u1010\u1039\u1010", "\u0f73\u0f71", "\ua98f\ua9c0"),
    *("\n", "\t", "\u2003", "\u3000", "\x85", "\x00", "\x1c"),
)
pieces = st.sampled_from(PIECES)
some_pieces = st.lists(pieces | st.text(st.characters(codec="utf-8"), max_size=4), max_size=20)
texts = some_pieces.map("".join)


def view(documents):
    return Text.view(pa.array(documents, pa.string()))


def is_gone(character):
    name = unicodedata.name(character, "")
    category = unicodedata.category(character)
    if category == "Mn":
        letter = name.startswith(tuple(f"COMBINING {script}" for script in LETTERS))
        return name.startswith(ACCENTS) and not letter
    return character in FILLERS or (category == "Cf" and character not in VISIBLE)


def fold(character):
    kind, _, _ = unicodedata.decomposition(character).partition(" ")
    usual = unicodedata.normalize("NFKC", character).lower()
    raised = kind in ("<super>", "<sub>", "<noBreak>", "<fraction>", "<circle>", "<square>")
    letter = character.isalpha() or "\u2e80" <= character < "\u2fe0"
    if kind[:1] != "<" or raised or (kind == "<compat>" and not letter) or " " in usual:
        return character
    return usual


def is_space(character):
    general = "\u2000" <= character < "\u2070" or "\u2e00" <= character < "\u2e80"
    scripts = character >= "\u0370" and not general
    punctuation = scripts and unicodedata.category(character).startswith("P")
    return character in PUNCTUATION or punctuation


def simplify(text):
    text = "".join(character for character in text if not is_gone(character)).lower()
    text = "".join(c for c in "".join(map(fold, text)) if not is_gone(c))
    text = re.sub(r"\d+([.,،٫⎖⎗⎘]\d+)?", "0", text)
    text = "".join(" " if is_space(character) else character for character in text)
    text = unicodedata.normalize("NFD", re.sub(r"\s+", " ", text.strip()))
    return "".join(character for character in text if not is_gone(character)).strip()


def split_unspaced(normal):
    words, open_word = [], False
    for character in normal:
        name = unicodedata.name(character, "")
        mark = unicodedata.category(character)[0] == "M" or character in "\u3099\u309a"
        cluster = name.split(" ")[0] in SCRIPTS or character in "\u3099\u309a"
        unspaced = cluster or bool(UNSPACED.match(character))
        if unspaced and mark and open_word:
            words[-1] += character
            continue
        if unspaced:
            words += [" ", character]
        else:
            words += [" ", character] if open_word else [character]
        open_word = unspaced
    return "".join(words).split()


def list_words_plainly(normal):
    return [word for chunk in split_unspaced(normal) for word in split_words(chunk)]


def stays_in_place(text):
    """Say whether what becomes of a part of a text is the same without the rest."""
    marks = [c for c in unicodedata.normalize("NFD", text) if unicodedata.combining(c)]
    return "Σ" not in text and all(map(is_gone, marks))
