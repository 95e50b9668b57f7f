"""Controls: what chance does with the same weights, the same for any order, cut or worker.

Chance is a hash of the document's id, the token's place in it and a seed (`weighting.hashing`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from weighting.arrays import Bools, Float32s, Int64s, Uint64s
from weighting.hashing import STEP, mix_bits
from weighting.knobs import knob
from weighting.policies.masks import ShareParams
from weighting.policies.params import OwnParams
from weighting.policies.policy import Evidence, Policy

WORD = 2**64


@dataclass(frozen=True)
class RandomParams(ShareParams):
    """The knobs of `random`."""

    seed: int = knob(0, "Seed of the hash.")


@dataclass(frozen=True)
class ShuffledParams(OwnParams):
    """The knobs of `shuffled`; `base` are those of the policy it permutes."""

    of: str = knob("soft", "The policy whose weights are permuted.")
    seed: int = knob(0, "Seed of the hash.")
    base: OwnParams | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the knobs by name, those of the other policy included."""
        own, base = super().to_dict(), {} if self.base is None else self.base.to_dict()
        return {**own, **base, **own}


def uniform(seen: Evidence, params: OwnParams) -> Float32s:  # noqa: ARG001
    """Every token weighs the same: the plain objective."""
    return np.ones(len(seen.ids_N), np.float32)


def random(seen: Evidence, params: RandomParams) -> Float32s:
    """A mask of each token with probability `share`, by a hash: the control of masks."""
    return choose_random(seen.keys_N, params.share).astype(np.float32)


def key_documents(doc_ids: Sequence[str], seed: int) -> Uint64s:
    """Return a key for each of D documents, uint64 [D], from the last 16 hex digits of its id."""
    digits = "".join(doc_id[-16:] for doc_id in doc_ids)
    hashes_D = np.frombuffer(bytes.fromhex(digits), ">u8").astype(np.uint64)
    return mix_bits(hashes_D ^ mix_bits(np.array([seed % WORD], np.uint64) + STEP))


def key_tokens(keys_D: Uint64s, offsets_D1: Int64s) -> Uint64s:
    """Return a key for each of N tokens, uint64 [N]: the generator's outputs, from its document's.

    Equal to the key of another token only by chance.
    """
    lengths_D = np.diff(offsets_D1)
    place_N = np.arange(offsets_D1[0], offsets_D1[-1]) - np.repeat(offsets_D1[:-1], lengths_D)
    steps_N = (place_N + 1).astype(np.uint64) * STEP
    return mix_bits(np.repeat(keys_D, lengths_D) + steps_N)


def choose_random(keys_N: Uint64s, share: float) -> Bools:
    """Return True for each token with probability `share`, bool [N]."""
    if share >= 1:
        return np.ones(len(keys_N), bool)
    return np.asarray(keys_N < np.uint64(int(share * WORD)))


def shuffle(
    weights_N: Float32s,
    factor_N: Float32s,
    special_N: Bools,
    keys_N: Uint64s,
) -> Float32s:
    """Return the weights of one unit and split, permuted by the keys; the same multiset.

    Only text tokens of equal damping change places, so what is contaminated stays at 0; end-of-text
    tokens keep their weight. Which token gets which weight does not depend on the documents' order.
    """
    text = np.flatnonzero(~special_N)
    keys, factor = keys_N[text], factor_N[text]
    to = text[np.lexsort((keys, factor))]
    fro = text[np.lexsort((mix_bits(keys), factor))]
    shuffled_N = weights_N.copy()
    shuffled_N[to] = weights_N[fro]
    return shuffled_N


UNIFORM = Policy(
    "all alike: plain training, the control",
    "1, bit for bit",
    OwnParams,
    paper="control: plain training",
    of_tokens=uniform,
)
RANDOM = Policy(
    "mask: a share by chance, the control of masks",
    "1 with probability `share`",
    RandomParams,
    paper="control of masks",
    of_tokens=random,
    draws=True,
)
PERMUTED = Policy(
    "another policy's weights, permuted: its control",
    "those of policy `of`, permuted",
    ShuffledParams,
    paper="control: same histogram, other tokens",
)
