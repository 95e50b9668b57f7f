"""What is tried again, what is not, and how it is told."""

from collections.abc import Iterator

import fsspec
import pytest

from pipelines.readers.streams import retries
from pipelines.readers.streams.retries import LostInput
from weighting.errors import AssayError, MayPass


class Refused(Exception):
    """An answer of a server."""

    def __init__(self, status):
        super().__init__()
        self.status = status


def test_reasons_are_one_line_and_lasting_ones_are_told_apart():
    assert retries.describe(ValueError("a\n  b")) == "a b"
    assert retries.describe(TimeoutError()) == "TimeoutError"
    assert len(retries.describe(ValueError("x" * 999))) == retries.REASON_LIMIT
    assert not retries.is_lasting(Refused(503))
    assert not retries.is_lasting(Refused(429))
    assert retries.is_lasting(Refused(410))
    assert retries.is_lasting(FileNotFoundError())
    assert retries.is_of_network(fsspec.exceptions.FSTimeoutError())
    assert not retries.is_of_network(ValueError("bad data"))
    with pytest.raises(LostInput, match="once"):
        retries.retry(lambda: (_ for _ in ()).throw(LostInput("once")), waits=())


def test_an_action_is_tried_four_times_and_prepared_between():
    tries: Iterator[Exception | None] = iter(
        [TimeoutError("one"), ValueError("two"), LostInput("three"), None]
    )
    prepared = []

    def act():
        error = next(tries)
        if error is not None:
            raise error
        return "done"

    assert retries.retry(act, lambda: prepared.append(1)) == "done"
    assert len(prepared) == 3
    tries = iter([PermissionError("no"), None])
    with pytest.raises(LostInput, match="no"):
        retries.retry(act)
    assert next(tries) is None


@pytest.mark.parametrize(
    ("error", "kind"), [(Refused(503), MayPass), (Refused(404), AssayError), (None, AssayError)]
)
def test_what_may_pass_is_told_from_what_lasts(error, kind):
    def act():
        raise error or LostInput("a package is missing", lasts=True)

    with pytest.raises(LostInput) as lost:
        retries.retry(act, waits=())
    told = lost.value.tell("https://host/a: cannot be read")
    assert type(told) is kind
    assert str(told).startswith("https://host/a: cannot be read (")
