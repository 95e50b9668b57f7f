"""The header of a GGUF file: its settings, and how large its tensors are.

The library that transformers reads such files with makes an array of every word of a vocabulary,
which takes seconds; here arrays are passed over. Format: ggml's docs/gguf.md, versions 2 and 3.
"""

import math
import mmap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from struct import calcsize, unpack_from
from struct import error as StructError

MAGIC, VERSIONS = b"GGUF", (2, 3)
SCALARS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
STRING, ARRAY = 8, 9
ALIGNMENT = 32  # of the data, by default

Value = int | float | bool | str


class DamagedFileError(ValueError):
    """No GGUF file, or not the whole of one."""


@dataclass(frozen=True)
class Header:
    """The settings of a file, arrays by their length, and the number of its parameters."""

    settings: Mapping[str, Value]
    parameters: int


@dataclass
class _Cursor:
    """Reads values of a file one behind the other."""

    data: mmap.mmap
    at: int = 0

    def take(self, form: str) -> int | float | bool:
        """Return a number of one of struct's forms."""
        (value,) = unpack_from(f"<{form}", self.data, self.at)
        self.at += calcsize(form)
        number: int | float | bool = value
        return number

    def count(self, form: str = "Q") -> int:
        """Return a whole number."""
        return int(self.take(form))

    def text(self) -> str:
        """Return a string, which its length stands before."""
        size = self.count()
        self.at += size
        if self.at > len(self.data):
            raise DamagedFileError
        return self.data[self.at - size : self.at].decode("utf-8", "replace")

    def value(self) -> Value:
        """Return a setting; of an array its length."""
        kind = self.count("I")
        if kind == STRING:
            return self.text()
        if kind == ARRAY:
            return self.skip_array()
        return self.take(SCALARS[kind])

    def skip_array(self) -> int:
        """Pass over an array; return its length."""
        kind, length = self.count("I"), self.count()
        if kind in SCALARS:
            self.at += length * calcsize(SCALARS[kind])
            return length
        for _ in range(length):
            if kind == STRING:
                self.at += 8 + int.from_bytes(self.data[self.at : self.at + 8], "little")
            else:
                self.skip_array()
            if self.at > len(self.data):
                raise DamagedFileError
        return length


def read_header(path: Path) -> Header:
    """Return the header of a GGUF file.

    Raises:
        DamagedFileError: it is none, or cut short.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _read(_Cursor(data))
    except (ValueError, StructError, LookupError, OverflowError):
        raise DamagedFileError(str(path)) from None


def _read(cursor: _Cursor) -> Header:
    from gguf.constants import GGML_QUANT_SIZES

    magic, cursor.at = cursor.data[:4], 4
    if magic != MAGIC or cursor.count("I") not in VERSIONS:
        raise DamagedFileError
    tensors, pairs = cursor.count(), cursor.count()
    settings: dict[str, Value] = {}
    for _ in range(pairs):
        key = cursor.text()
        settings[key] = cursor.value()
    parameters, end = 0, 0
    sizes = {int(kind): block for kind, block in GGML_QUANT_SIZES.items()}
    for _ in range(tensors):
        cursor.text()
        shape = [cursor.count() for _ in range(cursor.count("I"))]
        block, width = sizes[cursor.count("I")]
        parameters += math.prod(shape)
        end = max(end, cursor.count() + math.prod(shape) // block * width)
    alignment = int(settings.get("general.alignment", ALIGNMENT))
    if -(-cursor.at // alignment) * alignment + end > len(cursor.data):
        raise DamagedFileError
    return Header(settings, parameters)
