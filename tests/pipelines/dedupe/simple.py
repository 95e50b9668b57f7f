"""Texts of all kinds, and their normal form the plain way: the oracle of the compiled one."""

import re
import unicodedata

import pyarrow as pa
from hypothesis import strategies as st

from pipelines.words import Text, split_words

# What Chinese and Japanese are written in: each character is a word.
UNSPACED = re.compile(
    "[\u2e80-\u2fdf\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9f\U0001aff0-\U0001b16f\U00020000-\U0003ffff]"
)

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
    *("\n", "\t", "\u2003", "\u3000", "\x85", "\x00", "\x1c"),
)
pieces = st.sampled_from(PIECES)
some_pieces = st.lists(pieces | st.text(st.characters(codec="utf-8"), max_size=4), max_size=20)
texts = some_pieces.map("".join)


def view(documents):
    return Text.view(pa.array(documents, pa.string()))


def simplify(text):
    text = re.sub(r"\d+([.,،٫⎖⎗⎘]\d+)?", "0", text.lower())
    text = "".join(" " if character in PUNCTUATION else character for character in text)
    text = re.sub(r"\s+", " ", text.strip())
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(c for c in decomposed if unicodedata.category(c) != "Mn").strip()


def split_unspaced(normal):
    return UNSPACED.sub(r" \g<0> ", normal).split()


def list_words_plainly(normal):
    return [word for chunk in split_unspaced(normal) for word in split_words(chunk)]


def stays_in_place(text):
    """Say whether what becomes of a part of a text is the same without the rest."""
    marks = (c for c in unicodedata.normalize("NFD", text) if unicodedata.combining(c))
    return "Σ" not in text and all(unicodedata.category(c) == "Mn" for c in marks)
