"""The chunked form is the recurrence, token by token."""

import pytest
import torch

from trainer.config.schema import ModelConfig
from trainer.models import build_model
from trainer.models.mamba2 import CHUNK, CausalConvolution, plan_chunks, scan


def step_by_step(x_BxTxHxP, steps_BxTxH, rates_H, b_BxTxN, c_BxTxN):
    """The recurrence of the module's docstring."""
    size_B, size_T, size_H, size_P = x_BxTxHxP.shape
    state = x_BxTxHxP.new_zeros(size_B, size_H, size_P, b_BxTxN.shape[-1])
    rows = []
    for t in range(size_T):
        kept = (steps_BxTxH[:, t] * rates_H).exp()[..., None, None]
        written = (steps_BxTxH[:, t, :, None] * x_BxTxHxP[:, t])[..., None]
        state = kept * state + written * b_BxTxN[:, t, None, None]
        rows.append((state * c_BxTxN[:, t, None, None]).sum(-1))
    return torch.stack(rows, dim=1)


def draw(size_T, strength=1.0):
    """Inputs of two rows, three heads of 4 and a state of 5; strong decays forget at once."""
    generator = torch.Generator().manual_seed(size_T)

    def normal(*shape):
        return torch.randn(2, size_T, *shape, generator=generator, dtype=torch.float64)

    rates = torch.tensor([-0.1, -1.0, -16.0], dtype=torch.float64) * strength
    return normal(3, 4), normal(3).sigmoid(), rates, normal(5), normal(5)


def differentiate(function, inputs):
    """Return values, and the gradient of every input for a loss that weighs each value its own."""
    inputs = [part.clone().requires_grad_() for part in inputs]
    values = function(*inputs)
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(values.shape, generator=generator, dtype=torch.float64)
    return values, torch.autograd.grad((values * weights).sum(), inputs)


@pytest.mark.parametrize(
    "size_T", [1, 2, CHUNK - 1, CHUNK, CHUNK + 1, CHUNK + 36, 2 * CHUNK, 3 * CHUNK + 7]
)
def test_values_and_gradients_are_those_of_the_recurrence(size_T):
    inputs = draw(size_T)
    values, gradients = differentiate(scan, inputs)
    expected_values, expected_gradients = differentiate(step_by_step, inputs)
    torch.testing.assert_close(values, expected_values, rtol=1e-9, atol=1e-10)
    for gradient, expected in zip(gradients, expected_gradients, strict=True):
        torch.testing.assert_close(gradient, expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("strength", [1e-3, 1.0, 100.0, 1e5])
def test_decays_of_any_strength_are_right_in_float32(strength):
    inputs = draw(2 * CHUNK + 5, strength)
    values, gradients = differentiate(scan, [part.float() for part in inputs])
    expected_values, expected_gradients = differentiate(step_by_step, inputs)
    torch.testing.assert_close(values.double(), expected_values, rtol=1e-3, atol=1e-3)
    for gradient, expected in zip(gradients, expected_gradients, strict=True):
        atol = 1e-3 * expected.abs().max().item() + 1e-30  # smaller ones are no float32
        torch.testing.assert_close(gradient.double(), expected, rtol=1e-3, atol=atol)


def test_chunks_are_few_and_of_one_length():
    assert [plan_chunks(size_T) for size_T in (1, 63, 64, 65, 130, 256)] == [
        *((1, 1), (1, 63), (1, 64), (2, 33), (3, 44), (4, 64)),
    ]


def test_convolution_is_the_stock_one_with_zeros_before_the_row():
    convolution = CausalConvolution(6)
    x_BxTxC = torch.randn(2, 9, 6, generator=torch.Generator().manual_seed(0))
    stock = torch.nn.functional.conv1d(
        x_BxTxC.transpose(1, 2), convolution.weight, convolution.bias, padding=3, groups=6
    )
    torch.testing.assert_close(convolution(x_BxTxC), stock[:, :, :9].transpose(1, 2))


def test_first_steps_and_rates_are_in_the_authors_ranges():
    config = ModelConfig(architecture="mamba2", layers=1, width=64, heads=64)
    weights = dict(build_model(config, 10, seed=0).blocks[0].named_parameters())
    steps = torch.nn.functional.softplus(weights["mixer.dt_bias"]).detach()
    rates = weights["mixer.A_log"].exp().detach()
    assert steps.min() >= 0.00099
    assert steps.max() <= 0.101
    assert steps.log().mean() == pytest.approx(-4.6, abs=0.5)  # even on a logarithmic scale
    assert rates.min() >= 0.999
    assert rates.max() <= 16.01
    assert rates.mean() == pytest.approx(8.5, abs=1.5)
