"""The mixer of bits: the published generator's numbers, one to one, the same when compiled."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.words.hashing import scatter
from weighting.hashing import STEP, mix_bits

numbers = st.integers(0, 2**64 - 1)


def mix_plainly(value):
    """splitmix64's finalizer in Python's unbounded integers."""
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    value = (value ^ value >> 27) * 0x94D049BB133111EB % 2**64
    return value ^ value >> 31


def unmix(value):
    """The inverse: each step undone, last first."""
    value ^= value >> 31 ^ value >> 62
    value = value * pow(0x94D049BB133111EB, -1, 2**64) % 2**64
    value ^= value >> 27 ^ value >> 54
    value = value * pow(0xBF58476D1CE4E5B9, -1, 2**64) % 2**64
    return value ^ value >> 30 ^ value >> 60


def test_bits_are_mixed_as_the_published_generator_does():
    # The first outputs of splitmix64 from state 1234567, as its reference programs print them.
    states = np.array([1234567, 1234567], np.uint64)
    states += np.array([1, 2], np.uint64) * STEP
    assert mix_bits(states).tolist() == [6457827717110365317, 3203168211198807973]


@given(st.lists(numbers))
def test_arrays_are_mixed_number_by_number(values):
    mixed = mix_bits(np.array(values, np.uint64))
    assert mixed.dtype == np.uint64
    assert mixed.tolist() == [mix_plainly(value) for value in values]


@given(numbers)
def test_the_compiled_mixer_is_the_same(value):
    assert scatter(np.uint64(value)) == mix_plainly(value)


@given(numbers)
def test_mixing_is_one_to_one(value):
    assert unmix(mix_plainly(value)) == value


@given(numbers, st.integers(0, 63))
def test_every_bit_of_the_input_reaches_both_halves_of_the_output(value, bit):
    change = mix_plainly(value) ^ mix_plainly(value ^ 1 << bit)
    assert change >> 32
    assert change & 0xFFFFFFFF


def test_multiples_of_the_step_are_spread_evenly():
    """Among 1,000 multiples no gap is more than about twice the average one."""
    multiples = np.sort(np.arange(1, 1001, dtype=np.uint64) * STEP)
    assert int(np.diff(multiples).max()) < 2.7 * 2**64 / 1000
