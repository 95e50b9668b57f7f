"""What the parts of a tokenizer do to a text: whether each of its characters is in some token.

Told by structure, and only of parts that are known here. What depends on a pattern or on single
entries of the vocabulary is tried out (`pipelines.tokenize.trial`).
"""

from collections.abc import Iterator, Mapping, Sequence

from weighting.bytelevel import BYTE_OF
from weighting.vocabulary import LETTERS, UTF8, Part, has_bytes, is_byte_level, list_ids, list_parts

FORMS = ("NFC", "NFD", "NFKC", "NFKD")  # normalizers that are Unicode's normal forms
NORMALIZERS = (*FORMS, "Lowercase", "Prepend", "Replace", LETTERS)
PRE_TOKENIZERS = (
    *("Digits", "FixedLength", "Metaspace", "Punctuation", "Split", "UnicodeScripts", LETTERS),
)
MODELS = ("BPE", "Unigram", "WordLevel")
REMOVED = "Removed"
ONE_BY_SOME = "only one character may be replaced, and not by none"


def list_normalizers(fields: Part) -> list[Part]:
    """Return the parts of the normalizer, in order."""
    return [*list_parts(fields.get("normalizer"))]


def find_faults(fields: Part) -> Iterator[str]:
    """Yield why the tokens of a tokenizer.json do not hold every character of any text."""
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
    yield from _find_model_faults(fields)


def composes(fields: Part) -> bool:
    """Say whether the normalizer may make one character of several."""
    return any(part["type"] in ("NFC", "NFKC") for part in list_normalizers(fields))


def _keeps_places(part: Part) -> bool:
    """Say whether a Replace keeps places: of several characters, the library names the last."""
    return bool(part["content"]) and len(part["pattern"].get("String", "")) == 1


def _find_model_faults(fields: Part) -> Iterator[str]:
    model, ids = fields["model"], list_ids(fields)
    kind = model.get("type", "BPE")
    if kind not in MODELS:
        yield f"its model is {kind}; known are {', '.join(MODELS)}"
    elif kind == "BPE" and is_byte_level(fields):
        if model.get("continuing_subword_prefix") or model.get("end_of_word_suffix"):
            yield "its byte-level pieces carry a prefix or suffix"
        elif missing := _list_missing(ids):
            yield f"its vocabulary lacks {missing}, and text with them would vanish"
    elif not _knows_all(fields, ids):
        yield (
            "characters outside its vocabulary would vanish: it has no token for the unknown and "
            "not all bytes"
        )


def _knows_all(fields: Part, ids: Mapping[str, int]) -> bool:
    """Say whether any character has a token: an unknown one's, or those of its bytes."""
    model = fields["model"]
    known = model.get("unk_id") is not None or model.get("unk_token") in ids
    return known or has_bytes(fields)


def _list_missing(ids: Mapping[str, int]) -> str:
    """Return the bytes of UTF-8 whose letters are not in a vocabulary, as words; empty if none."""
    missing = sorted(byte for letter, byte in BYTE_OF.items() if byte in UTF8 and letter not in ids)
    runs = [f"{a:02X}" if a == b else f"{a:02X} to {b:02X}" for a, b in _join_runs(missing)]
    return f"{len(missing)} of the bytes of UTF-8 ({', '.join(runs)})" if missing else ""


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
