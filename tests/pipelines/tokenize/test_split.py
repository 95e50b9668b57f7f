"""Splits follow from ids alone, and none that is wanted stays empty."""

from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.tokenize.split import choose_train, fill_splits

HALF = 2**31


def name(number):
    return f"{number:032x}"


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """A job with a unit for each list of numbers that is put into it."""
    folder = tmp_path_factory.mktemp("split")

    def output(_, uid, suffix):
        return folder / f"{uid}{suffix}"

    def fill(units):
        for uid, numbers in enumerate(units):
            table = pa.table({"doc_id": pa.array(map(name, numbers), pa.string())})
            pq.write_table(table, output("documents", uid, ".parquet"))
        return SimpleNamespace(output=output)

    return fill


def split(job, units, share):
    """The numbers for training and those for validation."""
    found = fill_splits(range(len(units)), share, job(units))
    numbers = [number for unit in units for number in unit]
    train_D = choose_train([name(number) for number in numbers], found)
    return [
        sorted(n for n, t in zip(numbers, train_D, strict=True) if t == wanted)
        for wanted in (True, False)
    ]


def test_splits_are_chosen_by_id_alone():
    ids = [f"{i * 7919:032x}" for i in range(5000)]
    train = choose_train(ids, 0.1)
    assert choose_train(ids[::-1], 0.1)[::-1].tolist() == train.tolist()
    assert choose_train(ids, 0.0).all()
    spread = choose_train([f"{i * 2**32 // 1000:032x}" for i in range(1000)], 0.1)
    assert 95 <= (~spread).sum() <= 105


@pytest.mark.parametrize(
    ("units", "share", "train", "validation"),
    [
        ([[HALF + 5], [HALF, HALF + 9]], 0.25, [HALF + 5, HALF + 9], [HALF]),
        ([[3], [7, 5]], 0.5, [7], [3, 5]),
        ([[HALF], [], [3]], 0.5, [HALF], [3]),
        ([[HALF], [3]], 0.0, [3, HALF], []),
        ([[3]], 0.5, [3], []),
        ([[HALF]], 0.25, [HALF], []),
        ([[HALF, HALF]], 0.25, [HALF, HALF], []),
        ([[2**32 - 1], [2**32 - 2]], 1e-9, [2**32 - 1], [2**32 - 2]),
        ([[], []], 0.5, [], []),
    ],
)
def test_an_empty_split_takes_the_nearest_document(job, units, share, train, validation):
    assert split(job, units, share) == [train, validation]


@given(
    st.lists(st.lists(st.integers(0, 2**32 - 1), max_size=4, unique=True), max_size=4),
    st.floats(0, 1, exclude_max=True),
)
def test_a_split_that_has_documents_keeps_them_and_units_leave_no_trace(job, units, share):
    numbers = [number for unit in units for number in unit]
    train, validation = split(job, units, share)
    assert split(job, [sorted(numbers)], share) == [train, validation]
    plain = [n for n in numbers if n < int(share * 2**32)]
    if 0 < len(plain) < len(numbers):
        assert validation == sorted(plain)
    elif share and len(set(numbers)) > 1:
        assert min(len(train), len(validation)) >= 1
