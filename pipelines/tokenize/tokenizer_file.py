"""A tokenizer.json that the user names: read, settled, checked, before any other work.

Settled means that what belongs to a caller, not to a vocabulary, is taken out: truncation, padding,
BPE dropout and the post-processor, which adds tokens around a text. What is left decides the ids.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import orjson
from tokenizers import Tokenizer

from pipelines.tokenize.library import calling
from pipelines.tokenize.plain_texts import PlainTexts
from pipelines.tokenize.sealing import seal
from pipelines.tokenize.structure import find_changes, find_faults, find_missing, name_bytes
from pipelines.tokenize.trial import try_out
from weighting.errors import AssayError
from weighting.vocabulary import (
    CONFIG,
    NONE_THERE,
    find_end,
    find_unknown,
    list_ids,
    parse_tokenizer_json,
    read_end,
    read_tokenizer_json,
)

KEY = "tokenizer.end_of_text"  # of a recipe
NAMED = 12  # special tokens that a refusal lists
FIELDS = {
    *("version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer"),
    *("post_processor", "decoder", "model"),
}
CALLERS = ("truncation", "padding", "post_processor")  # settings that a caller of the library makes


@dataclass(frozen=True)
class Settled:
    """A tokenizer that can be used: its tokenizer.json, its end of text, what is to be said."""

    text: str
    end_of_text: str
    eos_id: int
    remarks: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """The SHA-256 of the tokenizer.json that a run gets."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def config(self) -> str:
        """The tokenizer_config.json that says the same to Hugging Face's transformers."""
        return write_config(self.end_of_text)


def write_config(end_of_text: str) -> str:
    """Return the tokenizer_config.json of a tokenizer whose texts end so."""
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": end_of_text,
        "clean_up_tokenization_spaces": False,
    }
    return json.dumps(settings, indent=1, ensure_ascii=False) + "\n"


def settle(path: Path, end_of_text: str | None = None) -> Settled:
    """Return the tokenizer at `path`, whose documents end with `end_of_text` if that is given.

    Raises:
        AssayError: it cannot be loaded, its tokens would not hold every character of a text, a
            text could forge its special tokens, or it is not known what ends a text.
    """
    if not path.is_file():
        raise AssayError(f"{path}: {NONE_THERE}")
    beside = path.with_name(CONFIG)
    files = [(one.stat().st_mtime_ns, one.stat().st_size) for one in (path, beside) if one.exists()]
    return _settle(path, end_of_text, tuple(files))


@lru_cache(maxsize=2)
def _settle(path: Path, named: str | None, _: tuple[tuple[int, int], ...]) -> Settled:
    fields = read_tokenizer_json(path)
    _check_fields(str(path), fields)
    with calling(f"{path}: not a tokenizer.json"):  # of whatever shape it is
        fields["added_tokens"] = fields.get("added_tokens") or []
        remarks = _take_out(fields)
        if fault := next(find_faults(fields), None):
            raise AssayError(f"{path}: tokens of it cannot be placed in a text: {fault}")
        end, origin = _choose_end(path, fields, named)
        remarks += _make_special(fields, end, origin)
        tokenizer = Tokenizer.from_buffer(orjson.dumps(fields))
        remarks += _list_moved(path, fields, tokenizer)
        if missing := find_missing(fields):
            remarks.append(f"lacks {name_bytes(missing)}: a document that holds one ends the run")
        if not PlainTexts(fields, tokenizer).any:
            remarks.append("tokenizers alone encodes with it, at 1 to 3 MB a second")
        _try_sealed(fields, tokenizer, str(path), whole=True)
        text = tokenizer.to_str(pretty=True)
        eos_id = tokenizer.token_to_id(end)
        assert eos_id is not None
    return Settled(text, end, eos_id, tuple(f"{path.name}: {remark}" for remark in remarks))


def settle_model(name: str, text: str) -> dict[str, Any]:
    """Return the fields of the tokenizer.json of a model of some name, settled.

    It reads texts for that model alone, so that characters may be in none of its tokens. But what
    it reads must be the text.

    Raises:
        AssayError: it cannot be loaded, changes texts, its tokens cannot be placed in them, or a
            text could forge its special tokens.
    """
    fields = parse_tokenizer_json(name, text.encode())
    _check_fields(name, fields)
    with calling(f"{name}: not a tokenizer.json"):
        fields["added_tokens"] = fields.get("added_tokens") or []
        _take_out(fields)
        if fault := next(chain(find_changes(fields), find_faults(fields, needed=())), None):
            raise AssayError(
                f"{name}: its losses cannot be carried to the run's tokens: {fault}; choose a "
                "model whose tokenizer keeps texts as they are"
            )
        tokenizer = Tokenizer.from_buffer(orjson.dumps(fields))
        settled: dict[str, Any] = orjson.loads(tokenizer.to_str())
        _try_sealed(fields, tokenizer, name, whole=False)
    return settled


def _check_fields(name: str, fields: Mapping[str, Any]) -> None:
    if unknown := sorted(fields.keys() - FIELDS):  # at which the library loses its place
        raise AssayError(
            f"{name}: tokenizers does not know its {', '.join(unknown)}; it may be of a newer "
            "release"
        )


def _try_sealed(fields: dict[str, Any], tokenizer: Tokenizer, name: str, whole: bool) -> None:
    sealed = seal(fields)
    copy = tokenizer if sealed is fields else Tokenizer.from_buffer(orjson.dumps(sealed))
    try_out(copy, fields, sealed, name, whole)


def _take_out(fields: dict[str, Any]) -> list[str]:
    """Take a caller's settings out of a tokenizer.json; return a remark on those that there were.

    Of the post-processor nothing is said: nearly every file has one, and ids of text lack what it
    adds whether it is there or not.
    """
    found = [name for name in ("truncation", "padding") if fields.get(name) is not None]
    fields |= dict.fromkeys(CALLERS)
    if fields["model"].get("dropout"):
        fields["model"]["dropout"] = None
        found.append("dropout")
    return [f"{', '.join(found)} left out: documents are whole, ids always the same"] * bool(found)


def _choose_end(path: Path, fields: Mapping[str, Any], named: str | None) -> tuple[str, str]:
    """Return the end-of-text token and what names it."""
    configured = None if named is not None else read_end(path)
    end = find_end(fields, named if named is not None else configured)
    added = [token["content"] for token in fields["added_tokens"]]
    special = [token["content"] for token in fields["added_tokens"] if token["special"]]
    origin = KEY if named is not None else CONFIG if configured is not None else "its usual name"
    listed = ", ".join(map(repr, special[:NAMED])) or "none"
    listed += ", ..." if len(special) > NAMED else ""
    if end is None:
        raise AssayError(f"{path}: no end-of-text token; set {KEY}; its special tokens: {listed}")
    if end not in added:
        raise AssayError(
            f"{path}: {end!r}, named by {origin}, is not among its added tokens; set {KEY} to a "
            f"special token: {listed}"
        )
    unknown = find_unknown(fields)
    if unknown is not None and list_ids(fields).get(end) == unknown:
        raise AssayError(
            f"{path}: {end!r}, named by {origin}, also stands for unknown characters, which would "
            f"end a document; set {KEY} to another special token: {listed}"
        )
    return end, origin


def _make_special(fields: dict[str, Any], end: str, origin: str) -> list[str]:
    """Make the end of text a special token, which no text can spell; return what to say."""
    remark = f"documents end with {end} (named by {origin})"
    usual = find_end(fields, None)
    if origin == CONFIG and usual not in (None, end):  # as in the files of models that chat
        remark += f"; {usual} is there too: {KEY} chooses it"
    for token in fields["added_tokens"]:
        if token["content"] == end and not token["special"]:
            token["special"] = True
            remark += ", from now on a special token: text that spells it is text"
    return [remark]


def _list_moved(path: Path, fields: Mapping[str, Any], tokenizer: Tokenizer) -> list[str]:
    """Return a remark on added tokens whose ids are not those that the file says.

    Raises:
        AssayError: one gets the id of another token: the library counts up from the size of the
            vocabulary, whose ids may have gaps.
    """
    owners: dict[Any, str] = {number: token for token, number in list_ids(fields).items()}
    moved: list[str] = []
    for token in fields["added_tokens"]:
        content, number = token["content"], tokenizer.token_to_id(token["content"])
        owner = owners.setdefault(number, content)
        if owner != content:
            raise AssayError(
                f"{path}: the added token {content!r} gets the id {number}, that of {owner!r}; "
                "put it into the model's vocabulary with an id of its own"
            )
        if number != token["id"]:
            moved.append(f"{content} {number}, not {token['id']}")
    if not moved:
        return []
    return [f"{len(moved)} added tokens get other ids by tokenizers than the file says: {moved[0]}"]
