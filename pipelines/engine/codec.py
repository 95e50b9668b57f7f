"""What crosses from step to step: numbers as they are, vectors and small records as bytes.

Anything else Beam would pickle, and then no runner could tell two elements apart or compare them.
Here is the one place where values are packed and unpacked; kernels see none of it.
"""

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from weighting.arrays import Int64s
from weighting.storage.json_records import from_json, to_json

VECTOR = np.ndarray  # kind of an int64 array, which comes back in one dimension


def encode(value: Any) -> int | bytes:  # noqa: ANN401 - whatever a kernel returns
    """Return a number, or the bytes of an int64 array, or a record as JSON."""
    if isinstance(value, int | bytes):
        return value
    if isinstance(value, np.ndarray):
        return np.asarray(value, np.int64).tobytes()
    return json.dumps(to_json(value)).encode()


def decode(kind: type, packed: Any) -> Any:  # noqa: ANN401 - of that kind
    """Return the value of a kind, or the list of them that a list of packed ones stands for.

    Raises:
        BrokenContract: the bytes are of another kind.
    """
    if isinstance(packed, list):
        return [decode(kind, one) for one in packed]
    if isinstance(packed, int):
        return packed
    return decode_vector(packed) if kind is VECTOR else from_json(kind, json.loads(packed))


def decode_vector(packed: bytes) -> Int64s:
    """Return the numbers of an array, in one dimension."""
    return np.frombuffer(packed, np.int64)


def packed(function: Callable[..., Any], *kinds: type) -> Callable[..., int | bytes]:
    """Return a function of values of these kinds as one of what crosses steps, for `beam.Map`."""

    def call(*given: Any) -> int | bytes:  # noqa: ANN401
        values = [decode(kind, one) for kind, one in zip(kinds, given, strict=True)]
        return encode(function(*values))

    return call
