"""Cross entropy of a linear head with a weight for every target, a chunk of the logits at a time.

The head's gradient is a sum over targets, each times its weight, so a function that forms it during
the forward pass has to know the weights there and then. Here they are an argument. For each chunk:
logits, losses, softmax minus one at the target, times the weight, and both products of that with
hidden states and head. Nothing is computed twice, and the logits of one chunk exist at once.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from trainer.data.loader import IGNORED


def weighted_cross_entropy(
    hidden_NxC: Tensor,
    head_VxC: Tensor,
    targets_N: Tensor,
    weights_N: Tensor,
    normaliser: float,
    chunk: int,
) -> tuple[Tensor, Tensor]:
    """Return sum(weights x nll) / normaliser, and nll_N in nats, detached and 0 at padding.

    Gradients reach hidden states and head. Matrix products are of the precision of an enclosing
    autocast, softmax and losses of float32 at least; the head's gradient is summed over chunks in
    the head's own precision. `chunk` is at least 1; a target that is IGNORED weighs 0. Without
    gradients, as in evaluation, losses are all that is computed.
    """
    loss, nll_N = _WeightedCrossEntropy.apply(  # type: ignore[no-untyped-call]
        hidden_NxC, head_VxC, targets_N, weights_N / normaliser, chunk, torch.is_grad_enabled()
    )
    return loss, nll_N


class _WeightedCrossEntropy(Function):
    """Forms the gradients in the forward pass; the backward pass scales them."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch's own
        hidden_NxC: Tensor,
        head_VxC: Tensor,
        targets_N: Tensor,
        weights_N: Tensor,
        chunk: int,
        training: bool,
    ) -> tuple[Tensor, Tensor]:
        wants_hidden, wants_head = (training and needed for needed in ctx.needs_input_grad[:2])
        grad_hidden_NxC = torch.empty_like(hidden_NxC) if wants_hidden else None
        grad_head_VxC = torch.zeros_like(head_VxC) if wants_head else None
        dtype = _product_dtype(hidden_NxC)
        head_VxC = head_VxC.to(dtype)
        live_N = targets_N != IGNORED
        weights_N = torch.where(live_N, weights_N, 0.0)
        parts = []
        with torch.autocast(hidden_NxC.device.type, enabled=False):
            for first in range(0, len(targets_N), chunk):
                rows = slice(first, first + chunk)
                nll_K = _score(
                    hidden_NxC[rows].to(dtype),
                    head_VxC,
                    targets_N[rows],
                    weights_N[rows],
                    None if grad_hidden_NxC is None else grad_hidden_NxC[rows],
                    grad_head_VxC,
                )
                parts.append(nll_K)
        nll_N = torch.where(live_N, torch.cat(parts), 0.0)
        ctx.save_for_backward(grad_hidden_NxC, grad_head_VxC)
        ctx.mark_non_differentiable(nll_N)
        return (nll_N * weights_N).sum(), nll_N

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        gradients = (None if grad is None else grad * slope for grad in ctx.saved_tensors)
        return (*gradients, None, None, None, None)


def _score(
    hidden_KxC: Tensor,
    head_VxC: Tensor,
    targets_K: Tensor,
    weights_K: Tensor,
    grad_hidden_KxC: Tensor | None,
    grad_head_VxC: Tensor | None,
) -> Tensor:
    """Return the losses of a chunk; set its rows' gradient and add to the head's, where wanted."""
    logits_KxV = _widen(hidden_KxC @ head_VxC.T)
    targets_Kx1 = targets_K[:, None].clamp_min(0)
    nll_Kx1, sums_Kx1 = _exponentiate(logits_KxV, targets_Kx1)
    if grad_hidden_KxC is not None or grad_head_VxC is not None:
        _subtract_targets(logits_KxV, sums_Kx1, targets_Kx1, weights_K[:, None].to(nll_Kx1))
        slopes_KxV = logits_KxV.to(head_VxC.dtype)
        if grad_hidden_KxC is not None:
            grad_hidden_KxC.copy_(slopes_KxV @ head_VxC)
        if grad_head_VxC is not None:
            _add_product(grad_head_VxC, slopes_KxV.T, hidden_KxC)
    return nll_Kx1[:, 0]


def _exponentiate(logits_KxV: Tensor, targets_Kx1: Tensor) -> tuple[Tensor, Tensor]:
    """Turn logits into the numerators of their softmax; return losses and denominators, Kx1."""
    logits_KxV -= logits_KxV.amax(1, keepdim=True)
    chosen_Kx1 = logits_KxV.gather(1, targets_Kx1)
    sums_Kx1 = logits_KxV.exp_().sum(1, keepdim=True)
    return sums_Kx1.log() - chosen_Kx1, sums_Kx1


def _subtract_targets(
    numerators_KxV: Tensor, sums_Kx1: Tensor, targets_Kx1: Tensor, weights_Kx1: Tensor
) -> None:
    """Turn the numerators into the loss's slopes in the logits: weights x (softmax - target)."""
    numerators_KxV *= weights_Kx1 / sums_Kx1
    numerators_KxV.scatter_add_(1, targets_Kx1, -weights_Kx1)


def _add_product(total_VxC: Tensor, left_VxK: Tensor, right_KxC: Tensor) -> None:
    if total_VxC.dtype == left_VxK.dtype:
        total_VxC.addmm_(left_VxK, right_KxC)
    else:
        total_VxC += left_VxK @ right_KxC


def _product_dtype(hidden_NxC: Tensor) -> torch.dtype:
    kind = hidden_NxC.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else hidden_NxC.dtype


def _widen(logits_KxV: Tensor) -> Tensor:
    return logits_KxV.to(torch.promote_types(logits_KxV.dtype, torch.float32))
