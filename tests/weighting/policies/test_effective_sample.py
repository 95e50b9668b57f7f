"""The mass table: by hand, and the published one of the count family."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from benchmarks.quality.mass import ARMS, FACE_RANKS, make_counts, tabulate
from weighting.policies.effective_sample import effective_share, tabulate_mass
from weighting.policies.params import PolicyParams
from weighting.policies.registry import tabulate_raw
from weighting.signals.token_types import Types


@given(arrays(np.float64, st.integers(1, 40), elements=st.floats(0.01, 100)))
def test_effective_share_is_one_only_for_equal_weights(weights):
    share = effective_share(weights.sum(), (weights**2).sum(), len(weights))
    assert 0 < share <= 1 + 1e-9
    assert effective_share(3.0, 3.0, 3) == 1.0


def test_mass_table_by_hand():
    counts = np.array([0, 60, 30, 8, 2])
    mass = np.array([0.0, 30.0, 45.0, 15.0, 10.0])
    table = tabulate_mass(counts, mass, squares=150.0, zeros=5, max_weight=5.0)
    assert table.top10_tokens == 1.0
    assert table.rarest_half_tokens == pytest.approx(0.10)
    assert table.rarest_half_mass == pytest.approx(0.25)
    assert table.effective_share == pytest.approx(100**2 / (100 * 150))
    assert table.zero_tokens == 0.05


def test_the_count_family_puts_its_weight_where_it_is_published_to():
    counts = make_counts()
    for arm, table in tabulate(counts, len(counts) - 1).items():
        published = ARMS[arm][2]
        assert table.effective_share == pytest.approx(published.effective, abs=0.0051)
        assert table.top10_mass == pytest.approx(published.top10, abs=0.00051)
        assert table.top100_mass == pytest.approx(published.top100, abs=0.00051)
        half = 0.0051 if arm.startswith("PDL") else 0.00051  # printed to a per cent
        assert table.rarest_half_mass == pytest.approx(published.rarest_half, abs=half)
        assert table.max_weight == pytest.approx(published.highest, abs=0.051)


def test_face_silences_the_commonest_types_as_published():
    counts = make_counts()
    types = Types(counts, np.minimum(counts, 1), 1)
    raw = tabulate_raw("face", types, len(counts) - 1, PolicyParams())
    assert raw is not None
    for rank, published in FACE_RANKS.items():
        assert raw[rank - 1] / raw[-2] == pytest.approx(published, abs=0.0051)
