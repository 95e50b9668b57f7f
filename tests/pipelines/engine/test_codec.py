"""What crosses from step to step comes back as it was."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipelines.engine.codec import VECTOR, decode, decode_vector, encode, packed
from pipelines.weigh.calibrate import Calibration, UnitSums
from weighting.errors import BrokenContract
from weighting.policies.normalisation import Scale, WeightSums
from weighting.policies.quantiles import Cut
from weighting.policies.selection import Borders

floats = st.floats(allow_nan=False)
borders = st.none() | st.builds(Borders, st.integers(0, 9), st.integers(0, 9))
cuts = st.dictionaries(st.text(max_size=3), st.builds(Cut, floats, floats), max_size=2)
calibrations = st.builds(
    Calibration,
    borders,
    st.dictionaries(st.text(max_size=3), cuts, max_size=2),
    st.dictionaries(st.text(max_size=3), st.builds(Scale, floats, floats, floats, floats)),
)


@given(calibrations)
def test_a_record_comes_back_to_the_bit(known):
    assert decode(Calibration, encode(known)) == known
    assert encode(decode(Calibration, encode(known))) == encode(known)


@given(arrays(np.int64, st.integers(0, 9)))
def test_a_vector_comes_back(values):
    packed = encode(values)
    assert isinstance(packed, bytes)
    assert np.array_equal(decode_vector(packed), values)
    assert np.array_equal(decode(VECTOR, encode(values.reshape(1, -1))), values)


def test_numbers_and_bytes_cross_as_they_are():
    assert encode(7) == 7
    assert encode(b"unit") == b"unit"
    assert decode(Calibration, 7) == 7


def test_a_function_of_records_becomes_one_of_bytes():
    def add(one, others, factor):
        return UnitSums({"train": WeightSums(one.splits["train"].tokens * factor + len(others))})

    sums = encode(UnitSums({"train": WeightSums(tokens=3)}))
    call = packed(lambda one, others: add(one, others, 2), UnitSums, UnitSums)
    assert decode(UnitSums, call(sums, [sums, sums])).splits["train"].tokens == 8


def test_bytes_of_another_kind_are_refused():
    with pytest.raises(BrokenContract, match="unknown field 'splits'"):
        decode(Calibration, encode(UnitSums({})))
