"""Muon: momentum, made orthogonal, for the matrices of a model (Jordan 2024).

    M ← μ M + (1 - μ) G          U ← (1 - μ) G + μ M  (Nesterov)
    W ← W - lr (0.2 √max(m, n) O(U) + λ W)

O(U) is U with all its singular values brought near 1, by five Newton-Schulz steps. The factor
gives an update the size of AdamW's (arXiv 2502.16982, section 2.2), so that one learning rate
serves both.

torch has a Muon as well. It computes O in bfloat16 whatever the machine: without instructions for
it, a 512 x 128 matrix then takes a quarter of a second. This one computes in the precision that
it is told, and matrices of one shape at once.
"""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

# The quintic a X + (b A + c A²) X with A = X Xᵀ, and the steps taken: Jordan's, as in torch.
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
NEWTON_SCHULZ_STEPS = 5
LEAST_NORM = 1e-7
MATCH_ADAMW = 0.2  # root mean square of an AdamW update


class Muon(Optimizer):
    """Muon for matrices. Its state is `momentum_buffer`, of the shape of each."""

    def __init__(
        self,
        matrices: Iterable[nn.Parameter],
        lr: float,
        weight_decay: float,
        momentum: float = 0.95,
        precision: torch.dtype = torch.float32,
    ) -> None:
        """Take matrices and what they are told; `precision` is that of the orthogonalisation.

        Raises:
            ValueError: a parameter is not a matrix.
        """
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})
        self.precision = precision
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.ndim != 2:
                    raise ValueError(f"Muon takes matrices, not shape {tuple(parameter.shape)}")

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # noqa: ARG002
        """Update every matrix that has a gradient."""
        for group in self.param_groups:
            by_shape: dict[tuple[int, ...], list[nn.Parameter]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape.setdefault(tuple(parameter.shape), []).append(parameter)
            for parameters in by_shape.values():
                self._update(parameters, group["lr"], group["weight_decay"], group["momentum"])

    def _update(
        self, parameters: list[nn.Parameter], lr: float, weight_decay: float, momentum: float
    ) -> None:
        directions = [self._advance(parameter, momentum) for parameter in parameters]
        updates_KxMxN = orthogonalise(torch.stack(directions).to(self.precision))
        size = MATCH_ADAMW * math.sqrt(max(parameters[0].shape))
        for parameter, update_MxN in zip(parameters, updates_KxMxN, strict=True):
            parameter.mul_(1.0 - lr * weight_decay)
            parameter.add_(update_MxN.to(parameter.dtype), alpha=-lr * size)

    def _advance(self, parameter: nn.Parameter, momentum: float) -> Tensor:
        """Take a gradient into the momentum, and return the direction to go in."""
        state, gradient = self.state[parameter], parameter.grad
        assert gradient is not None
        if not state:
            state["momentum_buffer"] = torch.zeros_like(gradient)
        buffer: Tensor = state["momentum_buffer"]
        buffer.lerp_(gradient, 1.0 - momentum)
        return gradient.lerp(buffer, momentum)


def orthogonalise(matrices_KxMxN: Tensor) -> Tensor:
    """Return K matrices with their singular values brought near 1 (within 0.7 and 1.2, mostly).

    In the dtype that comes in. A matrix of zeros stays one.
    """
    a, b, c = NEWTON_SCHULZ
    tall = matrices_KxMxN.size(-2) > matrices_KxMxN.size(-1)
    # The products are of the shorter side.
    x = matrices_KxMxN.mT if tall else matrices_KxMxN
    norms = x.flatten(1).norm(dim=1).clamp(min=LEAST_NORM)
    x = x / norms[:, None, None]  # no singular value above 1
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x
