"""The chunked loss against the whole one in float64."""

from math import prod

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from trainer.data.loader import IGNORED
from trainer.objectives.chunked import weighted_cross_entropy

N, C, V = 42, 6, 50
CHUNKS = [1, 7, 16, 41, 42, 100]  # 7 and 42 divide N


def draw(
    dtype: torch.dtype = torch.float64, size: tuple[int, int, int] = (N, C, V)
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Hidden states, head, targets (one in seven ignored), weights (some 0, also 5 at padding)."""
    n, c, v = size
    generator = torch.Generator().manual_seed(0)

    def normal(*shape):
        return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)

    targets = torch.randint(0, v, (n,), generator=generator)
    weights = 3 * torch.rand(n, generator=generator, dtype=torch.float64).to(dtype)
    targets[::7], weights[::7], weights[::5] = IGNORED, 5.0, 0.0
    return normal(n, c).requires_grad_(), normal(v, c).requires_grad_(), targets, weights


def whole(hidden, head, targets, weights, normaliser):
    """The same by torch's own cross entropy."""
    nll = F.cross_entropy(hidden @ head.T, targets, reduction="none", ignore_index=IGNORED)
    return (nll * weights).sum() / normaliser, nll


def grad(loss, hidden, head):
    return torch.autograd.grad(loss, (hidden, head))


def relative(ours, theirs):
    return ((ours.double() - theirs).norm() / theirs.norm()).item()


class Largest(TorchDispatchMode):
    """Remembers how many numbers the largest new tensor holds; views are not new."""

    size = 0

    def __torch_dispatch__(self, function, kinds, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        given = {x.untyped_storage().data_ptr() for x in args if isinstance(x, torch.Tensor)}
        if isinstance(result, torch.Tensor) and result.untyped_storage().data_ptr() not in given:
            self.size = max(self.size, prod(result.shape))
        return result


@pytest.mark.parametrize("chunk", CHUNKS)
def test_loss_and_gradients_are_those_of_the_whole(chunk):
    hidden, head, targets, weights = draw()
    loss, nll = weighted_cross_entropy(hidden, head, targets, weights, 36.0, chunk)
    expected, expected_nll = whole(hidden, head, targets, weights, 36.0)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-14)
    torch.testing.assert_close(nll, expected_nll.detach(), rtol=1e-13, atol=1e-14)
    expected_gradients = grad(expected, hidden, head)
    for ours, theirs in zip(grad(loss, hidden, head), expected_gradients, strict=True):
        assert (ours - theirs).abs().max() < 1e-15


@pytest.mark.parametrize("chunk", CHUNKS)
def test_float32_is_as_close_as_the_whole_in_float32(chunk):
    hidden, head, targets, weights = draw(torch.float32)
    loss, nll = weighted_cross_entropy(hidden, head, targets, weights, 36.0, chunk)
    expected, _ = whole(*draw(), 36.0)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    assert nll.dtype == torch.float32
    double = draw()
    expected_gradients = grad(whole(*double, 36.0)[0], *double[:2])
    for ours, theirs in zip(grad(loss, hidden, head), expected_gradients, strict=True):
        assert ours.dtype == torch.float32
        assert relative(ours, theirs) < 1e-6


@pytest.mark.parametrize("chunk", [1, 7, 42])
def test_bfloat16_autocast_has_float32_losses_and_gradients(chunk):
    hidden, head, targets, weights = draw(torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        loss, nll = weighted_cross_entropy(hidden, head, targets, weights, 36.0, chunk)
    double = draw()
    expected, expected_nll = whole(*double, 36.0)
    assert (loss.dtype, nll.dtype) == (torch.float32, torch.float32)
    assert relative(nll, expected_nll.detach()) < 0.01  # bfloat16 has 8 bits
    expected_gradients = grad(expected, *double[:2])
    for ours, theirs in zip(grad(loss, hidden, head), expected_gradients, strict=True):
        assert ours.dtype == torch.float32
        assert 1e-4 < relative(ours, theirs) < 0.01


def test_bfloat16_sums_the_head_gradient_in_float32():
    # Every chunk adds 2^-9 to what is 1 after the first: in bfloat16 all of it would be lost.
    hidden = torch.cat([torch.ones(1, 1), torch.full((64, 1), 2.0**-9)]).requires_grad_()
    head = torch.zeros(2, 1, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        ones = torch.ones(65)
        loss, _ = weighted_cross_entropy(hidden, head, torch.zeros(65).long(), ones, 0.5, 1)
    loss.backward()
    assert head.grad is not None
    assert head.grad.tolist() == [[-1.125], [1.125]]


def test_what_comes_after_the_loss_scales_the_gradients_every_time():
    hidden, head, targets, weights = draw()
    loss, _ = weighted_cross_entropy(hidden, head, targets, weights, 36.0, 16)
    once = grad(whole(hidden, head, targets, weights, 36.0)[0], hidden, head)
    for factor in (-3.0, 0.5):
        ours = torch.autograd.grad(factor * loss, (hidden, head), retain_graph=True)
        for mine, theirs in zip(ours, once, strict=True):
            torch.testing.assert_close(mine, factor * theirs, rtol=1e-12, atol=1e-15)


def test_ignored_and_weightless_targets_have_no_gradient():
    hidden, head, targets, weights = draw()
    loss, nll = weighted_cross_entropy(hidden, head, targets, weights, 36.0, 16)
    gradient, _ = grad(loss, hidden, head)
    assert not gradient[::7].any()
    assert not gradient[::5].any()
    assert not nll[::7].any()
    assert nll[5] > 0


def test_losses_are_detached():
    _, nll = weighted_cross_entropy(*draw(), 36.0, 16)
    assert not nll.requires_grad


def test_huge_logits_do_not_overflow():
    hidden, head, targets, weights = draw(torch.float32)
    loss, nll = weighted_cross_entropy(1e4 * hidden, head, targets, weights, 36.0, 16)
    expected, expected_nll = whole(1e4 * hidden, head, targets, weights, 36.0)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(nll, expected_nll.detach())


@pytest.mark.parametrize("frozen", [0, 1])
def test_a_frozen_side_gets_no_gradient(frozen):
    hidden, head, targets, weights = draw()
    sides = [hidden, head]
    sides[frozen] = sides[frozen].detach()
    weighted_cross_entropy(sides[0], sides[1], targets, weights, 36.0, 16)[0].backward()
    double = draw()
    expected = grad(whole(*double, 36.0)[0], *double[:2])[1 - frozen]
    assert sides[frozen].grad is None
    torch.testing.assert_close(sides[1 - frozen].grad, expected)


@pytest.mark.parametrize(("n", "c", "v"), [(64, 2, 300), (640, 8, 100)])
def test_memory_is_one_chunk_of_logits(n, c, v):
    hidden, head, targets, weights = draw(torch.float32, (n, c, v))
    with Largest() as largest:
        loss, _ = weighted_cross_entropy(hidden, head, targets, weights, float(n), 8)
        loss.backward()
    assert largest.size == max(8 * v, n * c, v * c)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_without_gradients_the_chunk_is_the_largest_tensor(precision):
    hidden, head, targets, weights = draw(precision, (64, 8, 300))
    expected, expected_nll = weighted_cross_entropy(hidden, head, targets, weights, 36.0, 4)
    with torch.no_grad(), Largest() as largest:
        loss, nll = weighted_cross_entropy(hidden, head, targets, weights, 36.0, 4)
    assert loss.equal(expected.detach())
    assert nll.equal(expected_nll)
    assert largest.size == 4 * 300
