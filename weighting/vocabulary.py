"""What a tokenizer.json says of its types, read without the library that encodes with it.

    RUN/tokenizer.json           the tokenizer, as `tokenizers` writes it
        tokenizer_config.json    beside it: its end-of-text token (`eos_token`)

A type is spelled as the text that it stands for. Byte-level models write a byte as one printable
character (`weighting.bytelevel`); SentencePiece's write a blank as "▁" and a byte that no piece
holds as "<0xE2>"; added tokens are written as they are.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from weighting.arrays import Int64s
from weighting.bytelevel import to_bytes
from weighting.errors import AssayError

CONFIG = "tokenizer_config.json"
BYTE = re.compile(r"<0x([0-9A-F]{2})>")
POINTER = b"version https://git-lfs"  # begins what stands in a repository for a large file
LETTERS = "ByteLevel"  # the part of a tokenizer that turns text into the byte-level alphabet
# The bytes of UTF-8: no text holds the others.
UTF8 = frozenset({*range(0xC0), *range(0xC2, 0xF5)})
# Special tokens that end documents where nothing names another, the first that is there.
ENDS = ("<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>", "[SEP]")

NONE_THERE = "no such tokenizer file; give the path of one, as names of a hub are not looked up"
HEAD = 16  # bytes that show what a file is
WANTED = "name the file of that name that comes with a model"

Part = Mapping[str, Any]  # a normalizer, pre-tokenizer or model, as the file has it


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The V types of a tokenizer: the bytes of the text each is spelled as, empty for unused ids.

    `unspelled` are the types whose tokens may stand for other text than their spelling: special
    tokens, which stand for none, and the one that stands for whatever the model does not know.
    """

    tokens: Sequence[bytes]
    eos_id: int
    unspelled: frozenset[int]
    unknown_id: int | None

    @property
    def vocab_size(self) -> int:
        """The largest id and one: ids may have gaps."""
        return len(self.tokens)

    @cached_property
    def bytes_V(self) -> Int64s:
        """The length in bytes of each type's spelling, int64 [V]."""
        return np.fromiter(map(len, self.tokens), np.int64, len(self.tokens))


def read_vocabulary(path: Path) -> Vocabulary:
    """Return the vocabulary of a tokenizer.json; it is read once a process, unless it changes.

    Raises:
        AssayError: it is missing, no tokenizer.json, or does not say what ends a text.
    """
    try:
        stamps = [_stamp(path), *(_stamp(one) for one in [path.with_name(CONFIG)] if one.exists())]
    except OSError:
        raise AssayError(f"{path}: {NONE_THERE}") from None
    return _read(path, *stamps)


def read_tokenizer_json(path: Path) -> dict[str, Any]:
    """Return the fields of a tokenizer.json.

    Raises:
        AssayError: there is no such file, or it holds something else.
    """
    try:
        data = path.read_bytes()
    except OSError:
        raise AssayError(f"{path}: {NONE_THERE}") from None
    return parse_tokenizer_json(str(path), data)


def parse_tokenizer_json(name: str, data: bytes) -> dict[str, Any]:
    """Return the fields of the tokenizer.json of a name.

    Raises:
        AssayError: it is something else.
    """
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise AssayError(f"{name}: not a tokenizer.json ({_word(error, data)}); {WANTED}") from None
    model = fields.get("model") if isinstance(fields, dict) else None
    if not isinstance(model, dict) or not isinstance(model.get("vocab"), dict | list):
        raise AssayError(
            f"{name}: not a tokenizer.json (it has no model with a vocabulary); {WANTED}"
        )
    return dict(fields)


def _word(error: Exception, start: bytes) -> str:
    """Return why a file that starts so could not be parsed."""
    if start.startswith(POINTER):
        return "a pointer of Git LFS: fetch the file itself"
    is_json = start.lstrip().startswith(b"{")
    return str(error) if is_json or not start else f"it begins with {str(start[:HEAD])[1:]}"


def read_end(path: Path) -> str | None:
    """Return the end-of-text token that the configuration beside a tokenizer.json names, if any.

    Raises:
        AssayError: the configuration is not JSON, or names no text.
    """
    config = path.with_name(CONFIG)
    try:
        fields = json.loads(config.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise AssayError(f"{config}: not JSON ({error}); mend it or take it away") from None
    end = fields.get("eos_token") if isinstance(fields, dict) else None
    if isinstance(end, dict):  # an added token with its settings
        end = end.get("content", end)
    if end is not None and not isinstance(end, str):
        raise AssayError(f"{config}: its eos_token is no token but {json.dumps(end)[:40]}")
    return end


def find_end(fields: Part, named: str | None) -> str | None:
    """Return the token that ends documents: the named one, else a usual one that is special."""
    if named is not None:
        return named
    special = {token["content"] for token in fields["added_tokens"] if token["special"]}
    return next((token for token in ENDS if token in special), None)


def list_parts(tree: Part | None) -> Iterator[Part]:
    """Yield the parts of a normalizer or pre-tokenizer in order, those of sequences one by one."""
    if not tree:
        return
    inner = tree.get("normalizers", tree.get("pretokenizers"))
    if tree.get("type") == "Sequence" and isinstance(inner, list):
        for part in inner:
            yield from list_parts(part)
    else:
        yield tree


def is_byte_level(fields: Part) -> bool:
    """Say whether a tokenizer's model sees bytes, each as a character."""
    parts = (*list_parts(fields.get("normalizer")), *list_parts(fields.get("pre_tokenizer")))
    return any(part["type"] == LETTERS for part in parts)


def list_ids(fields: Part) -> dict[str, int]:
    """Return the ids of a model's types, without those of added tokens."""
    vocab = fields["model"]["vocab"]
    if isinstance(vocab, dict):
        return vocab
    return {piece: number for number, (piece, _) in enumerate(vocab)}


def find_unknown(fields: Part) -> int | None:
    """Return the id that stands for what a model does not know; None where there is none."""
    model = fields["model"]
    if isinstance(number := model.get("unk_id"), int):
        return number
    return list_ids(fields).get(model.get("unk_token") or "")


def has_bytes(fields: Part) -> bool:
    """Say whether a model writes characters that it does not know as their bytes, whichever."""
    ids = list_ids(fields)
    return bool(fields["model"].get("byte_fallback")) and all(
        f"<0x{byte:02X}>" in ids for byte in UTF8
    )


def spell_types(fields: Part) -> dict[int, bytes]:
    """Return the bytes of the text that each id is spelled as."""
    ids, byte_level = list_ids(fields), is_byte_level(fields)
    if byte_level:
        spelled = {number: to_bytes(token) for token, number in ids.items()}
    else:
        blank, bytes_too = _find_blank(fields), bool(fields["model"].get("byte_fallback"))
        spelled = {number: _spell(token, blank, bytes_too) for token, number in ids.items()}
    return spelled | {token["id"]: token["content"].encode() for token in fields["added_tokens"]}


def _spell(token: str, blank: str | None, bytes_too: bool) -> bytes:
    if bytes_too and (found := BYTE.fullmatch(token)):
        return bytes.fromhex(found[1])
    return (token if blank is None else token.replace(blank, " ")).encode()


def _find_blank(fields: Part) -> str | None:
    """Return how a tokenizer writes a blank; None where it writes it as it is."""
    parts = (*list_parts(fields.get("normalizer")), *list_parts(fields.get("pre_tokenizer")))
    for part in parts:
        if part["type"] == "Metaspace":
            return str(part["replacement"])
        if part["type"] == "Replace" and part["pattern"].get("String") == " ":
            return str(part["content"]) or None
    return None


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=4)
def _read(path: Path, *_: tuple[int, int]) -> Vocabulary:
    fields = read_tokenizer_json(path)
    added = {token["content"]: token for token in fields["added_tokens"]}
    end = find_end(fields, read_end(path))
    if end is None or end not in added:
        raise AssayError(
            f"{path}: does not say which token ends a text; name it as eos_token in "
            f"{CONFIG} beside it"
        )
    return make_vocabulary(fields, added[end]["id"])


def make_vocabulary(fields: Part, eos_id: int) -> Vocabulary:
    """Return the vocabulary that the fields of a tokenizer.json describe."""
    spelled = spell_types(fields)
    special = {token["id"] for token in fields["added_tokens"] if token["special"]}
    unknown = find_unknown(fields)
    return Vocabulary(
        tokens=[spelled.get(number, b"") for number in range(max(spelled) + 1)],
        eos_id=eos_id,
        unspelled=frozenset(special if unknown is None else {*special, unknown}),
        unknown_id=unknown,
    )
