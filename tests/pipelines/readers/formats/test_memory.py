import lzma

import pytest

from pipelines.readers.formats.memory import is_want
from pipelines.readers.streams.compression import CODECS, Codec, decompress


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError("malloc of size 100 failed"), True),
        (MemoryError("realloc of size 101 failed"), False),
        (MemoryError(), False),
        (MemoryError("std::bad_alloc"), False),
        (OSError("malloc of size 100 failed"), False),
    ],
)
def test_what_asks_for_more_than_is_stated_is_damage(error, expected):
    assert is_want(error, 100) is expected


class Failing:
    eof, unused_data = False, b""

    def __init__(self, error):
        self.error = error

    def decompress(self, _data):
        raise self.error


@pytest.mark.parametrize(
    ("suffix", "error"),
    [
        (".xz", MemoryError()),
        (".zst", CODECS[".zst"].errors[0]("zstd: Allocation error : not enough memory")),
        (".gz", CODECS[".gz"].errors[0]("Error -4 while decompressing data")),
    ],
)
def test_decoders_that_get_no_memory_find_no_damage(tmp_path, suffix, error):
    path = tmp_path / "a.xz"
    path.write_bytes(lzma.compress(b"text"))
    codec = Codec(lambda: Failing(error), CODECS[suffix].errors)
    with path.open("rb") as file, pytest.raises(MemoryError):
        list(decompress(file, codec))
