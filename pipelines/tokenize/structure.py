"""What the parts of a tokenizer do to a text: whether each of its characters is in some token.

Told by structure, and only of parts that are known here. What depends on a pattern or on single
entries of the vocabulary is tried out (`pipelines.tokenize.trial`).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from weighting.bytelevel import BYTE_OF
from weighting.vocabulary import LETTERS, UTF8, Part, has_bytes, is_byte_level, list_ids, list_parts

FORMS = ("NFC", "NFD", "NFKC", "NFKD")  # normalizers that are Unicode's normal forms
NORMALIZERS = (*FORMS, "Lowercase", "Prepend", "Replace", LETTERS)
PRE_TOKENIZERS = (
    *("Digits", "FixedLength", "Metaspace", "Punctuation", "Split", "UnicodeScripts", LETTERS),
)
MODELS = ("BPE", "Unigram", "WordLevel")
REMOVED = "Removed"
# Bytes that hardly any text has: control characters, which cleaning removes, and those that begin
# characters of planes 4 to 11, where none is assigned.
SELDOM = frozenset({*range(0x20), 0xF1, 0xF2}) - {*b"\t\n\f\r"}
NEEDED = UTF8 - SELDOM
ONE_BY_SOME = "only one character may be replaced, and not by none"


def list_normalizers(fields: Part) -> list[Part]:
    """Return the parts of the normalizer, in order."""
    return [*list_parts(fields.get("normalizer"))]


def find_faults(fields: Part, needed: Collection[int] = NEEDED) -> Iterator[str]:
    """Yield why the tokens of a tokenizer.json do not hold every character of any text.

    Of characters of other bytes of UTF-8 than those `needed` it is no fault that they vanish.
    """
    in_letters = False  # whether the parts before wrote bytes as letters
    for part in list_normalizers(fields):
        kind = part["type"]
        if kind not in NORMALIZERS:
            yield f"its normalizer {kind} may delete characters"
        elif kind == "Replace" and not _keeps_places(part):
            yield f"its normalizer Replace loses {_word(part['pattern'])}: {ONE_BY_SOME}"
        in_letters |= kind == LETTERS
    for part in list_parts(fields.get("pre_tokenizer")):
        kind = part["type"]
        removes = part.get("behavior") == REMOVED and not part.get("invert")
        if kind not in PRE_TOKENIZERS or removes:
            yield f"its pre-tokenizer {kind} drops the characters that it splits at"
        elif kind == "Metaspace" and in_letters:
            yield "its pre-tokenizer Metaspace writes blanks into a text of byte-level letters"
        in_letters |= kind == LETTERS
    yield from _find_model_faults(fields, needed)


def find_changes(fields: Part) -> Iterator[str]:
    """Yield why a tokenizer reads other text than is there; blanks may be written otherwise.

    Normal forms that Unicode calls canonical (NFC, NFD) are the same text.
    """
    for part in list_normalizers(fields):
        blank = part["type"] == "Replace" and part["pattern"].get("String") == " "
        if part["type"] in ("Lowercase", "NFKC", "NFKD", "Replace") and not blank:
            yield f"its normalizer {part['type']} changes the text that it reads"


def composes(fields: Part) -> bool:
    """Say whether the normalizer may make one character of several."""
    return any(part["type"] in ("NFC", "NFKC") for part in list_normalizers(fields))


def _keeps_places(part: Part) -> bool:
    """Say whether a Replace keeps places: of several characters, the library names the last."""
    return bool(part["content"]) and len(part["pattern"].get("String", "")) == 1


def _find_model_faults(fields: Part, needed: Collection[int]) -> Iterator[str]:
    model, ids = fields["model"], list_ids(fields)
    kind = model.get("type", "BPE")
    if kind not in MODELS:
        yield f"its model is {kind}; known are {', '.join(MODELS)}"
    elif kind == "BPE" and is_byte_level(fields):
        if model.get("continuing_subword_prefix") or model.get("end_of_word_suffix"):
            yield "its byte-level pieces carry a prefix or suffix"
        elif missing := find_missing(fields) & {*needed}:
            yield f"its vocabulary lacks {name_bytes(missing)}, and text with them would vanish"
    elif needed and not _knows_all(fields, ids):
        yield (
            "characters outside its vocabulary would vanish: it has no token for the unknown and "
            "not all bytes"
        )


def _knows_all(fields: Part, ids: Mapping[str, int]) -> bool:
    """Say whether any character has a token: an unknown one's, or those of its bytes."""
    model = fields["model"]
    known = model.get("unk_id") is not None or model.get("unk_token") in ids
    return known or has_bytes(fields)


def find_missing(fields: Part) -> frozenset[int]:
    """Return the bytes of UTF-8 that a byte-level vocabulary lacks; none of another kind."""
    if not is_byte_level(fields):
        return frozenset()
    ids = list_ids(fields)
    return frozenset(byte for letter, byte in BYTE_OF.items() if letter not in ids) & UTF8


def name_bytes(missing: Collection[int]) -> str:
    """Return some bytes of UTF-8 in words."""
    runs = [f"{a:02X}" if a == b else f"{a:02X} to {b:02X}" for a, b in _join_runs(sorted(missing))]
    return f"{len(missing)} of the bytes of UTF-8 ({', '.join(runs)})"


def _join_runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def _word(pattern: Mapping[str, str]) -> str:
    return " ".join(repr(text) for text in pattern.values())
