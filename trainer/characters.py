"""Token shards of a plain text file's characters: all that the character-level setting needs.

    OUT/tokenizer.json            an id for each character, in order of code point, then end of text
    OUT/shards/train-000000.arrow, validation-000000.arrow
    OUT/characters.json           written last: what was read, and how much of it is in each split

The first part of the text is for training and the rest for validation, as character-level
benchmarks have it. Each split is one document and an end-of-text token; every weight is 1.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

from weighting.arrays import Int64s, Uint32s
from weighting.contracts.reasons import Reason
from weighting.contracts.shards import ShardInfo, Tokens, write_shard
from weighting.contracts.splits import TRAIN, VALIDATION
from weighting.errors import AssayError, BrokenContract
from weighting.storage.files import sha256, write_text
from weighting.storage.folder_kinds import name_kind
from weighting.storage.json_records import read_record, write_record
from weighting.storage.lock import locking

SUMMARY = "characters.json"
END_OF_TEXT = "<|endoftext|>"
BYTE_ORDER_MARK = "\ufeff"  # before a text it says how it is stored
LARGEST = 2**30  # bytes of a text: the offsets in a shard have 31 bits


@dataclass(frozen=True)
class Summary:
    """What OUT/characters.json holds."""

    text: str  # name of the file
    text_sha256: str
    types: int  # of characters, and end of text
    train_tokens: int
    validation_tokens: int


def write_characters(text: Path, out: Path, validation_share: float = 0.1) -> Summary:
    """Write the shards of a UTF-8 text file; return what OUT/characters.json holds.

    Raises:
        AssayError: the text is missing, not UTF-8, or too small or too large to split, or `out`
            holds something else.
    """
    if not 0 < validation_share < 1:
        raise AssayError(f"validation share is {validation_share}, must be > 0 and < 1")
    types_V, ids_N = rank_codes(read_codes(text))
    cut = int(len(ids_N) * (1 - validation_share))
    if not 0 < cut < len(ids_N):
        raise AssayError(f"{text}: {len(ids_N)} characters; too few for two splits")
    splits = {TRAIN: ids_N[:cut], VALIDATION: ids_N[cut:]}
    summary = Summary(
        text=text.name,
        text_sha256=sha256(text),
        types=len(types_V) + 1,
        train_tokens=cut + 1,
        validation_tokens=len(ids_N) - cut + 1,
    )
    tokenizer = build_tokenizer([chr(code) for code in types_V]).to_str(pretty=True)
    with locking(out):
        _check_free(out, tokenizer, summary)
        path = out / "tokenizer.json"
        write_text(path, tokenizer)
        for split, ids in splits.items():
            info = ShardInfo(sha256(path), len(types_V) + 1, len(types_V), split, "uniform")
            shard = out / "shards" / f"{split}-000000.arrow"
            write_shard(shard, info, [_end_document(split, text.name, ids, info.eos_id)])
        write_record(out / SUMMARY, summary)
    return summary


def read_codes(text: Path) -> Uint32s:
    """Return the N code points of a UTF-8 file, its line ends as they are, no byte order mark.

    Raises:
        AssayError: missing, not UTF-8, larger than 1 GiB, or it holds the end-of-text token.
    """
    if not text.is_file():
        raise AssayError(f"{text}: no such file; give one of plain UTF-8 text")
    if text.stat().st_size > LARGEST:
        raise AssayError(f"{text}: larger than {LARGEST:,} bytes, the most that is split in two")
    try:
        content = text.read_bytes().decode("utf-8").removeprefix(BYTE_ORDER_MARK)
    except UnicodeDecodeError as error:
        raise AssayError(f"{text}: not UTF-8 ({error.reason} at byte {error.start})") from None
    if END_OF_TEXT in content:
        raise AssayError(f"{text}: holds {END_OF_TEXT}, which is to end a document; remove it")
    return np.frombuffer(content.encode("utf-32-le"), "<u4")


def rank_codes(
    codes_N: Uint32s,
) -> tuple[Int64s, Uint32s]:
    """Return the V distinct code points in order, and the rank of each of the N among them."""
    present = np.zeros(sys.maxunicode + 1, np.bool_)
    present[codes_N] = True
    ranks = np.cumsum(present, dtype=np.uint32) - np.uint32(1)
    return np.flatnonzero(present), ranks[codes_N]


def build_tokenizer(characters: list[str]) -> Tokenizer:
    """Return the tokenizer whose ids are the ranks of V characters; V is the end of text."""
    types = {character: rank for rank, character in enumerate(characters)}
    tokenizer = Tokenizer(models.WordLevel(types))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer.decoder = decoders.Fuse()  # or decoding would put spaces between
    tokenizer.add_special_tokens([AddedToken(END_OF_TEXT, special=True, normalized=False)])
    return tokenizer


def _check_free(out: Path, tokenizer: str, summary: Summary) -> None:
    """Raise AssayError where `out` holds what was not made of this text."""
    if kind := name_kind(out):
        raise AssayError(f"{out}: {kind}; give the text's shards a folder of their own")
    path, done = out / "tokenizer.json", out / SUMMARY
    if path.exists():
        taken = path.read_text(encoding="utf-8") != tokenizer
    else:
        taken = any((out / "shards").glob("*.arrow"))
    if taken or (done.exists() and not _holds(done, summary)):
        raise AssayError(f"{out}: holds something other than this text; name another folder")


def _holds(path: Path, summary: Summary) -> bool:
    try:
        return read_record(Summary, path) == summary
    except BrokenContract:
        return False


def _end_document(split: str, source: str, ids_N: Uint32s, eos_id: int) -> Tokens:
    ids = np.append(ids_N, np.uint32(eos_id))
    reasons = np.zeros(len(ids), np.uint8)
    reasons[-1] = Reason.SPECIAL
    return Tokens(
        doc_ids=[split],
        sources=[source],
        offsets_D1=np.array([0, len(ids)]),
        ids_N=ids,
        weights_N=np.ones(len(ids), np.float32),
        reasons_N=reasons,
    )
