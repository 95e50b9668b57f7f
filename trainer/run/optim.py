"""Optimizers, and the learning rate as a pure function of the step."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import nn
from torch.optim import AdamW, Optimizer

from trainer.config.schema import TrainConfig
from trainer.models.language_model import LanguageModel
from trainer.run.muon import Muon

BETA1 = 0.9
DECAY_SHARE = 0.2  # of the steps after warm-up, at the end of the trapezoid

# What is left of the way from the floor to the highest rate, when a share of the steps is done.
SCHEDULES: dict[str, Callable[[float], float]] = {
    "cosine": lambda done: 0.5 * (1.0 + math.cos(math.pi * done)),
    "linear": lambda done: 1.0 - done,
    "trapezoid": lambda done: min(1.0, (1.0 - done) / DECAY_SHARE),
    "constant": lambda done: 1.0,  # noqa: ARG005 - the signature of the others
}


def build_optimizers(model: LanguageModel, config: TrainConfig) -> list[Optimizer]:
    """Return fused AdamW for all parameters, or Muon for the matrices of the blocks before it.

    Both decay matrices and leave vectors alone. Muon orthogonalises in the run's precision: in
    bfloat16 where matrix products are, else in float32.
    """
    matrices: list[nn.Parameter] = []
    if config.optimizer == "muon":
        matrices = [p for p in model.blocks.parameters() if p.ndim == 2]
    taken = set(matrices)
    rest = [p for p in model.parameters() if p not in taken]
    groups = [
        {"params": [p for p in rest if p.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in rest if p.ndim < 2], "weight_decay": 0.0},
    ]
    adamw = AdamW(groups, lr=config.lr, betas=(BETA1, config.beta2), fused=True)
    return [_build_muon(matrices, config), adamw] if matrices else [adamw]


def lr_at(step: int, config: TrainConfig) -> float:
    """Return the rate of update `step` (the first is 0): linear warm-up, then the schedule."""
    if step < config.warmup:
        return config.lr * ((step + 1) / config.warmup)
    done = (step - config.warmup) / (config.steps - config.warmup)
    left = SCHEDULES[config.schedule](done)
    return config.lr * (config.lr_floor + (1.0 - config.lr_floor) * left)


def set_lr(optimizers: Sequence[Optimizer], lr: float) -> None:
    """Give every group the rate of the coming update."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = lr


def _build_muon(matrices: Sequence[nn.Parameter], config: TrainConfig) -> Optimizer:
    precision = torch.bfloat16 if config.precision == "bfloat16" else torch.float32
    return Muon(matrices, lr=config.lr, weight_decay=config.weight_decay, precision=precision)
