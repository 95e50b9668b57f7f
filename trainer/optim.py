"""AdamW, and the learning rate as a pure function of the step."""

import math

from torch import nn
from torch.optim import AdamW, Optimizer

from trainer.config import TrainConfig

BETAS = (0.9, 0.95)


def build_optimizer(model: nn.Module, config: TrainConfig) -> Optimizer:
    """Return fused AdamW that decays matrices and leaves gains alone."""
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    return AdamW(groups, lr=config.lr, betas=BETAS, fused=True)


def lr_at(step: int, config: TrainConfig) -> float:
    """Return the rate of update `step` (the first is 0): linear warm-up, then a cosine to 0."""
    if step < config.warmup:
        return config.lr * ((step + 1) / config.warmup)
    done = (step - config.warmup) / (config.steps - config.warmup)
    return config.lr * 0.5 * (1.0 + math.cos(math.pi * done))


def set_lr(optimizer: Optimizer, lr: float) -> None:
    """Give every group the rate of the coming update."""
    for group in optimizer.param_groups:
        group["lr"] = lr
