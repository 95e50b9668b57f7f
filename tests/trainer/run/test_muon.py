"""Muon against torch's, and the law of what it makes of a matrix."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from trainer.run.muon import Muon, orthogonalise

SHAPES = ((16, 6), (16, 6), (6, 6), (6, 20))


def build_matrices() -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(3)
    return [nn.Parameter(torch.randn(shape, generator=generator)) for shape in SHAPES]


def step(optimizer: torch.optim.Optimizer, matrices: list[nn.Parameter], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for matrix in matrices:
        matrix.grad = torch.randn(matrix.shape, generator=generator)
    optimizer.step()


def test_it_takes_the_steps_of_torchs_own_within_bfloat16():
    ours, theirs = build_matrices(), build_matrices()
    start = [matrix.detach().clone() for matrix in ours]
    mine = Muon(ours, lr=0.02, weight_decay=0.1, precision=torch.bfloat16)
    reference = torch.optim.Muon(theirs, lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    for seed in range(5):
        step(mine, ours, seed)
        step(reference, theirs, seed)
    for one, other, before in zip(ours, theirs, start, strict=True):
        moved = (one - before).norm()
        assert moved > 0.1
        assert (one - other).norm() < 0.01 * moved


def test_a_step_in_float32_is_near_that_in_bfloat16():
    single, half = build_matrices(), build_matrices()
    start = [matrix.detach().clone() for matrix in single]
    for matrices, precision in ((single, torch.float32), (half, torch.bfloat16)):
        step(Muon(matrices, lr=0.02, weight_decay=0.0, precision=precision), matrices, seed=1)
    for one, other, before in zip(single, half, start, strict=True):
        assert 0 < (one - other).norm() < 0.05 * (one - before).norm()


@given(
    rows=st.integers(1, 12),
    columns=st.integers(1, 12),
    scale=st.sampled_from([1e-5, 1.0, 1e5]),
    seed=st.integers(0, 1000),
)
def test_singular_vectors_stay_and_no_singular_value_grows_past_the_bound(
    rows, columns, scale, seed
):
    generator = torch.Generator().manual_seed(seed)
    matrix = torch.randn((rows, columns), generator=generator, dtype=torch.float64)
    made = orthogonalise(matrix[None] * scale)[0]
    assert torch.linalg.svdvals(made).max() < 1.25
    # O(U) = U f(UᵀU), so UᵀO(U) is symmetric, and it is positive.
    product = matrix.T @ made
    torch.testing.assert_close(product, product.T)
    assert torch.linalg.eigvalsh(product).min() > -1e-9 * product.abs().max()


def test_well_conditioned_matrices_become_nearly_orthogonal():
    generator = torch.Generator().manual_seed(0)
    matrices = torch.randn((4, 8, 32), generator=generator)
    values = torch.linalg.svdvals(orthogonalise(matrices))
    assert values.min() > 0.6
    assert values.max() < 1.25


def test_a_matrix_does_not_depend_on_those_beside_it():
    matrices = torch.randn((3, 5, 7), generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(orthogonalise(matrices)[1:2], orthogonalise(matrices[1:2]))


def test_zeros_stay_zeros():
    assert not orthogonalise(torch.zeros(1, 3, 4)).any()


def test_vectors_are_refused():
    with pytest.raises(ValueError, match=r"matrices, not shape \(3,\)"):
        Muon([nn.Parameter(torch.zeros(3))], lr=0.1, weight_decay=0.0)
