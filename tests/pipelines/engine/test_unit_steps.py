"""The step over units, and sums that do not depend on how they are added up."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.codec import decode_vector, encode
from pipelines.engine.unit_steps import OverUnits, SumVectors
from pipelines.weigh.calibrate import Calibration
from weighting.policies.selection import Borders

KNOWN = Calibration(borders=Borders(3, 5))


def run(over, element, *found):
    over.setup()
    return list(over.process(element, *found))


def test_a_kernel_gets_its_element_what_was_loaded_and_what_was_found():
    def kernel(uid, loaded, known):
        return np.array([uid, loaded, known.borders.score])

    over = OverUnits(kernel, Calibration, load=lambda: 7)
    (result,) = run(over, 2, encode(KNOWN))
    assert decode_vector(result).tolist() == [2, 7, 3]


def test_what_a_process_needs_is_loaded_once_for_all_of_its_units():
    loads = []
    over = OverUnits(lambda uid, loaded: uid, load=lambda: loads.append(1))
    over.setup()
    assert [result for uid in range(5) for result in over.process(uid)] == [0, 1, 2, 3, 4]
    assert loads == [1]


def test_a_kernel_that_returns_nothing_passes_its_element_on():
    assert run(OverUnits(lambda uid: None), 4) == [4]


def test_what_is_only_waited_for_is_not_passed_on():
    assert run(OverUnits(lambda uid: uid + 1), 4, [1, 2, 3]) == [5]


vectors = st.lists(st.lists(st.integers(-(2**40), 2**40), min_size=3, max_size=3), max_size=8)


@given(vectors, st.integers(0, 8), st.randoms())
def test_vectors_add_up_in_any_order_and_grouping(rows, cut, random):
    add, packed = SumVectors(), [np.array(row, np.int64).tobytes() for row in rows]
    random.shuffle(packed)
    groups = []
    for group in (packed[:cut], packed[cut:]):
        total = add.create_accumulator()
        for vector in group:
            total = add.add_input(total, vector)
        groups.append(total)
    found = decode_vector(add.extract_output(add.merge_accumulators(groups)))
    assert found.tolist() == np.sum(rows, axis=0).tolist() if rows else found.size == 0
