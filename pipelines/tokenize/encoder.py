"""Encoding text to token ids: a fast encoder, checked against `tokenizers`, the authority.

Text is text: where a document spells out a special token ("<|endoftext|>"), its characters are
encoded like any others, or a document could forge the mark that ends documents. Added tokens that
are not special are found in text, as `tokenizers` finds them.
"""

import logging
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import accumulate, chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import orjson
from tokenizers import Encoding, Tokenizer

from pipelines.tokenize.library import calling
from pipelines.tokenize.places import Spelling, follow_places, read_places
from pipelines.tokenize.plain_texts import PlainTexts
from pipelines.tokenize.sealing import seal
from pipelines.tokenize.structure import composes
from pipelines.tokenize.tokenizer_file import settle_model
from weighting.array_tools import expand_ranges, to_offsets
from weighting.arrays import Bools, Int32s, Int64s, Uint32s
from weighting.errors import AssayError
from weighting.vocabulary import Vocabulary, make_vocabulary, read_vocabulary

CHECK_EVERY = 50  # one document in so many is encoded by `tokenizers` as well
CHECK_CHARS = 20_000  # of each such document
TOGETHER = 64  # texts that `tokenizers` encodes at once: it takes much memory for each token
AUTHORITY, FAST = "tokenizers", "gigatoken"
NOWHERE: Mapping[int, Int32s] = MappingProxyType({})

log = logging.getLogger(__name__)


class Encoded(NamedTuple):
    """D texts as one flat array of N ids (uint32) and D + 1 offsets (int64).

    `places` are the first characters of the tokens of texts, by number, that their tokens' bytes
    do not spell; `used` names the encoders.
    """

    ids_N: Uint32s
    offsets_D1: Int64s
    places: Mapping[int, Int32s] = NOWHERE
    used: frozenset[str] = frozenset()


def load_encoder(path: Path) -> "Encoder":
    """Return the encoder of a tokenizer.json, loaded once a process unless the file changes."""
    return _load(path, read_vocabulary(path))


@lru_cache(maxsize=1)
def _load(path: Path, _: Vocabulary) -> "Encoder":
    return Encoder(path)


@lru_cache(maxsize=4)
def load_model_encoder(text: str, end_id: int) -> "Encoder":
    """Return the encoder of a model's tokenizer.json, loaded once a process.

    Its tokens may leave out characters; `end_id` ends a document.

    Raises:
        AssayError: as `settle_model`.
    """
    name = "the tokenizer of a model"
    fields = settle_model(name, text)
    return Encoder(Source(name, fields, make_vocabulary(fields, end_id), whole=False))


def _read_source(path: Path) -> "Source":
    vocabulary = read_vocabulary(path)
    with calling(f"{path}: cannot be loaded"):
        return Source(str(path), orjson.loads(path.read_bytes()), vocabulary)


class Source(NamedTuple):
    """A settled tokenizer.json: its name for errors, its fields, its vocabulary.

    `whole` is False where characters may be in none of its tokens.
    """

    name: str
    fields: dict[str, Any]
    vocabulary: Vocabulary
    whole: bool = True


class Encoder:
    """Encodes batches of text by a settled tokenizer.json, that of a run or of a model."""

    def __init__(self, source: Path | Source, fast: bool = True) -> None:
        if isinstance(source, Path):
            source = _read_source(source)
        self._name, fields, self.vocabulary, self._whole = source
        with calling(f"{self._name}: cannot be loaded"):
            self._authority = Tokenizer.from_buffer(orjson.dumps(seal(fields)))
        self._authority.encode_special_tokens = True
        self._spelling = Spelling(self.vocabulary)
        self._special = self.vocabulary.unspelled - {self.vocabulary.unknown_id}
        self._composes = composes(fields)
        self._plain = PlainTexts(fields, self._authority)
        plain = orjson.dumps(fields | {"added_tokens": [], "normalizer": None})
        self._for_fast = plain if fast and self._plain.any else None
        self._warned = False

    def encode(self, texts: Sequence[str], names: Sequence[str] = ()) -> Encoded:
        """Return the ids of D texts, exactly as `tokenizers` gives them; `names` are for errors.

        A sample of the texts (every CHECK_EVERY-th, its beginning) is encoded both ways; on any
        difference the whole batch is done by `tokenizers` and a warning is logged.

        Raises:
            AssayError: a token of a text has no place in it, or is a special one.
        """
        names = names or [f"{text[:40]!r}" for text in texts]
        plain_D = self._plain.find(texts)
        if not plain_D.any() or self._fast is None:
            return self._encode_slow(texts, names)
        plain = [text for text, is_plain in zip(texts, plain_D.tolist(), strict=True) if is_plain]
        if not self._agree([text[:CHECK_CHARS] for text in plain[::CHECK_EVERY]]):
            self._warn()
            return self._encode_slow(texts, names)
        return self._join(texts, names, plain_D, self._encode_fast(plain))

    def _agree(self, sample: Sequence[str]) -> bool:
        """Say whether both encoders give plain texts the same ids."""
        fast = self._encode_fast(sample)
        with calling(f"{self._name}: cannot encode {sample[0][:40]!r} or one of the next"):
            slow = self._authority.encode_batch_fast(list(sample), add_special_tokens=False)
        ends = [0, *accumulate(map(len, slow))]
        ids = [*chain.from_iterable(encoding.ids for encoding in slow)]
        same: bool = fast.offsets_D1.tolist() == ends and fast.ids_N.tolist() == ids
        return same

    def _join(
        self, texts: Sequence[str], names: Sequence[str], plain_D: Bools, fast: Encoded
    ) -> Encoded:
        """Return all texts' ids, given those of plain ones; the others' come from the authority.

        So do those of a plain text that its tokens do not spell.
        """
        plain = np.flatnonzero(plain_D)
        spelled = [texts[number].encode() for number in plain.tolist()]
        same = self._spelling.match(fast.ids_N, fast.offsets_D1, spelled)
        if len(plain) == len(texts) and same.all():
            return fast
        done_D = plain_D.copy()
        done_D[plain[~same]] = False
        rest = np.flatnonzero(~done_D)
        slow = self._encode_slow(
            [texts[number] for number in rest.tolist()], [names[number] for number in rest.tolist()]
        )
        counts_D, firsts_D = np.empty((2, len(texts)), np.int64)
        for numbers, encoded, before in ((plain, fast, 0), (rest, slow, len(fast.ids_N))):
            counts_D[numbers] = np.diff(encoded.offsets_D1)
            firsts_D[numbers] = encoded.offsets_D1[:-1] + before
        ids_N = np.concatenate([fast.ids_N, slow.ids_N])[expand_ranges(firsts_D, counts_D)]
        places = {int(rest[number]): starts for number, starts in slow.places.items()}
        return Encoded(ids_N, to_offsets(counts_D), places, fast.used | slow.used)

    def _encode_fast(self, texts: Sequence[str]) -> Encoded:
        if not texts:
            return Encoded(np.empty(0, np.uint32), np.zeros(1, np.int64))
        assert self._fast is not None
        layout = self._fast.encode_batch(list(texts), parallel=False).layout
        offsets = np.asarray(layout.offsets.data, np.int64)
        ids = np.asarray(layout.content.data, np.uint32)
        used = frozenset({FAST})
        return Encoded(ids[offsets[0] : offsets[-1]], offsets - offsets[0], used=used)

    def _encode_slow(self, texts: Sequence[str], names: Sequence[str]) -> Encoded:
        parts, counts = [np.empty(0, np.uint32)], [0]
        places: dict[int, Int32s] = {}
        for first in range(0, len(texts), TOGETHER):
            some = texts[first : first + TOGETHER]
            with calling(f"{self._name}: cannot encode {names[first]} or one of the next"):
                encodings = self._authority.encode_batch(list(some), add_special_tokens=False)
            ids = [np.array(encoding.ids, np.uint32) for encoding in encodings]
            offsets = np.cumsum([0, *map(len, ids)])
            same = self._spelling.match(
                np.concatenate(ids), offsets, [text.encode() for text in some]
            )
            for at in np.flatnonzero(~same).tolist():
                places[first + at] = self._place(encodings[at], some[at], names[first + at])
            parts += ids
            counts += map(len, ids)
        used = frozenset({AUTHORITY} if texts else ())
        return Encoded(np.concatenate(parts), np.cumsum(counts), places, used)

    def _place(self, encoding: Encoding, text: str, name: str) -> Int32s:
        """Return the first character of each token, as `tokenizers` says."""
        if self._special & set(encoding.ids):
            raise AssayError(f"{name}: its text gives a special token of {self._name}")
        try:
            if not self._whole:
                return follow_places(encoding.offsets, len(text))
            whole = not self._composes or self._authority.normalizer.normalize_str(text) == text
            return read_places(encoding.offsets, len(text), whole)
        except ValueError as error:
            raise AssayError(f"{name}: cannot be placed by {self._name}: {error}") from None

    @cached_property
    def _fast(self) -> Any:  # noqa: ANN401 - the library has no types
        """The fast encoder, loaded when it is first needed; None where it takes no such file."""
        if self._for_fast is None:
            return None
        import gigatoken  # not for runs that do without

        try:
            with calling("refused"):
                return gigatoken.Tokenizer.from_json(self._for_fast)
        except AssayError:
            log.warning(
                "%s does not take this tokenizer; %s encodes instead: the same ids, slower",
                FAST,
                AUTHORITY,
            )
            return None

    def _warn(self) -> None:
        if not self._warned:
            log.warning(
                "%s gives other ids than %s for some texts of this run, which %s encodes instead: "
                "the ids are right, the run is slower; please report it with the tokenizer",
                FAST,
                AUTHORITY,
                AUTHORITY,
            )
        self._warned = True
