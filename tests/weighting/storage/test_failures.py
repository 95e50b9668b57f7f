"""What the machine refuses, told as errors that a user can act on."""

import errno
from pathlib import Path

import pytest

from weighting.errors import AGAIN, AssayError, BrokenContract
from weighting.storage.failures import CannotWrite, OutOfMemory, explain


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_says_that_the_work_goes_on(code):
    told = explain(OSError(code, "in words of a library"), Path("/run/a.arrow"))
    assert isinstance(told, CannotWrite)
    assert str(told).startswith("/run/a.arrow: cannot be written (")
    assert str(told).endswith(f"make room: {AGAIN}")
    assert "words of a library" not in str(told)


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_a_place_that_may_not_be_written_is_named(code):
    told = explain(OSError(code, "no", "/run/b.arrow"))
    assert isinstance(told, CannotWrite)
    assert str(told).startswith("/run/b.arrow: cannot be written (")
    assert "name another folder" in str(told)
    assert str(explain(OSError(code, "no"))).startswith("a file: ")


@pytest.mark.parametrize(("words", "shown"), [("", "out of memory;"), ("9 GB", "memory (9 GB);")])
def test_memory_that_is_not_given_says_what_to_try(words, shown):
    told = explain(MemoryError(words))
    assert isinstance(told, OutOfMemory)
    assert shown in str(told)
    assert "fewer --workers" in str(told)


def test_our_own_errors_stay_and_defects_keep_their_traceback():
    own = BrokenContract("told already")
    assert explain(own) is own
    for error in (ValueError("x"), OSError(errno.ENOENT, "gone"), KeyboardInterrupt()):
        assert explain(error) is None
    for kind in (CannotWrite, OutOfMemory):
        assert issubclass(kind, AssayError)
