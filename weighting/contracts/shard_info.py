"""What a token shard says of itself, and where that is found for files that do not say it.

    the file's own metadata   key `assay`, JSON: all of it in shards that assay wrote
    SHARDS/assay.json         the same keys, for all files of the folder
    SHARDS/tokenizer.json     or beside the folder: its hash, size and end of text
    the file's name           train-*, validation-*, or folders of these names: the split

The first that says something counts, and what two of them say must agree.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from weighting.contracts.shard_files import tell_split
from weighting.contracts.splits import SPLITS
from weighting.errors import BrokenContract
from weighting.storage.files import sha256
from weighting.vocabulary import read_vocabulary

SCHEMA_VERSION = 1
METADATA_KEY = b"assay"
BESIDE = "assay.json"
TOKENIZER = "tokenizer.json"
OWN = "own"  # policy of shards that name none: weights of somebody's own
OF_TOKENIZER = ("tokenizer_sha256", "vocab_size", "eos_id")
KINDS: Mapping[str, type] = {
    "tokenizer_sha256": str,
    "vocab_size": int,
    "eos_id": int,
    "split": str,
    "policy": str,
    "policy_params": Mapping,
    "schema_version": int,
}

Fields = dict[str, Any]


def read_fields(path: Path, metadata: Mapping[bytes, bytes]) -> Fields:
    """Return what is known of a shard, all of KINDS but perhaps `policy_params`.

    Raises:
        BrokenContract: something is missing, of another version, or said twice and differently.
        AssayError: the tokenizer.json does not say what ends a text.
    """
    said = _parse(str(path), metadata.get(METADATA_KEY, b"{}"))
    _check_version(path, said)
    split = {} if (told := tell_split(path)) is None else {"split": told}
    said = _agree(f"{path}, by its metadata,", said, "its name", split)
    if "split" not in said:
        raise BrokenContract(
            f"{path}: does not say which split it is of; name it train-… or validation-…"
        )
    if any(name not in said for name in OF_TOKENIZER):
        said = _complete(path, said)
    return {"policy": OWN, "schema_version": SCHEMA_VERSION, **said}


def find_tokenizer(folder: Path) -> Path | None:
    """Return the tokenizer.json in a folder of shards, else that beside it, else None."""
    resolved = folder.resolve()
    paths = [place / TOKENIZER for place in (resolved, resolved.parent)]
    return next((path for path in paths if path.exists()), None)


def _complete(path: Path, said: Fields) -> Fields:
    """Add what the folder says of the tokenizer."""
    folder = path.parent.parent if path.parent.name in SPLITS else path.parent
    beside, tokenizer = folder / BESIDE, find_tokenizer(folder)
    if beside.exists():
        told = _parse(str(beside), beside.read_bytes())
        _check_version(beside, told)
        said = _agree(str(path), said, str(beside), told)
    missing = [name for name in OF_TOKENIZER if name not in said]
    if missing and tokenizer is not None:
        told = _describe_tokenizer(tokenizer, tokenizer.stat().st_mtime_ns)
        known = {name: told[name] for name in {*missing, "tokenizer_sha256"}}
        said = _agree(str(path), said, str(tokenizer), known)
    elif missing:
        raise BrokenContract(
            f"{path}: does not say which tokenizer its ids are of; put the tokenizer.json into "
            f"{folder}, or write {beside} with {', '.join(missing)}"
        )
    return said


@lru_cache(maxsize=4)
def _describe_tokenizer(path: Path, _: int) -> Fields:
    vocabulary = read_vocabulary(path)
    return {
        "tokenizer_sha256": sha256(path),
        "vocab_size": vocabulary.vocab_size,
        "eos_id": vocabulary.eos_id,
    }


def _parse(name: str, raw: bytes) -> Fields:
    """Return the fields of a JSON object, each of its kind."""
    try:
        fields = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BrokenContract(f"{name}: its assay metadata is not JSON ({error})") from None
    if not isinstance(fields, dict):
        raise BrokenContract(f"{name}: its assay metadata is not a JSON object")
    for key, value in fields.items():
        if key not in KINDS:
            raise BrokenContract(
                f"{name}: unknown key {key!r} in its assay metadata; valid: {', '.join(KINDS)}"
            )
        if not isinstance(value, KINDS[key]) or isinstance(value, bool):
            raise BrokenContract(f"{name}: {key} is {value!r}, must be {WORDS[KINDS[key]]}")
    return fields


WORDS = {str: "a text", int: "a whole number", Mapping: "an object"}


def _check_version(path: Path, said: Fields) -> None:
    version = said.get("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        raise BrokenContract(
            f"{path}: shard of schema version {version}, this code reads {SCHEMA_VERSION}"
        )


def _agree(first: str, said: Fields, second: str, told: Fields) -> Fields:
    """Return what two places say together."""
    for name in said.keys() & told.keys():
        if said[name] != told[name]:
            raise BrokenContract(f"{first} has {name} {said[name]}, {second} {told[name]}")
    return {**told, **said}
