"""Targets to try objectives on: logits that carry gradients, and all that an objective may read."""

from dataclasses import replace

import numpy as np
import torch

from trainer.config.flat import override
from trainer.config.schema import ObjectiveConfig, TrainConfig
from trainer.data.loader import IGNORED
from trainer.objectives.registry import OWN
from trainer.objectives.tokens import Tokens
from trainer.objectives.type_statistics import TypeStatistics

VOCAB = 7
LIVE = 17  # targets of 4 x 5 that are not padding
SHORT = 2


def make_settings(**values) -> ObjectiveConfig:
    """Settings of objectives, those that are not given as the tests here have them."""
    given = {"longce_context": SHORT, "longce_cap": 2.0, "cvar_share": 0.37, **values}
    return override(TrainConfig(), given).objectives


SETTINGS = make_settings()
OBJECTIVES = {name: one.load() for name, one in OWN.items()}


def draw_logits(seed=0, dtype=torch.float64):
    """4 x 5 x VOCAB logits; padding is at the end of the last two windows."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(4, 5, VOCAB, generator=generator, dtype=torch.float64) * 2).to(dtype)


def draw_tokens(logits, seed=0, settings=SETTINGS):
    """Tokens with those logits; whatever an objective may read is there."""
    generator = torch.Generator().manual_seed(1000 + seed)

    def uniform():
        return torch.rand(4, 5, generator=generator, dtype=torch.float64).to(logits.dtype)

    targets = torch.randint(0, VOCAB, (4, 5), generator=generator)
    targets[2, 4:] = targets[3, 3:] = IGNORED
    live = targets != IGNORED
    logs = logits.log_softmax(-1)
    types = TypeStatistics.start(VOCAB)
    types.counts_V.copy_(torch.tensor([9, 4, 0, 2, 9, 1, 30]))
    types.losses_V.copy_(torch.tensor([0.5, 2.0, 3.0, 0.1, 1.0, 2.5, 4.0]))
    return Tokens(
        nll_BxT=-logs.gather(-1, targets.clamp_min(0)[..., None])[..., 0] * live,
        targets_BxT=targets,
        weights_BxT=3 * uniform() * live,
        count=int(live.sum()),
        settings=settings,
        entropy_BxT=-(logs.exp() * logs).sum(-1),
        reference_BxT=4 * uniform() * live,
        short_BxT=4 * uniform() * live,
        types=types,
    )


def weights_of(name, tokens):
    """What each loss is multiplied with where the gradient begins: d terms / d nll."""
    nll = tokens.nll_BxT.detach().requires_grad_()
    terms = OBJECTIVES[name](replace(tokens, nll_BxT=nll))
    return torch.autograd.grad(terms.sum(), nll)[0]


def live_values(tokens, values):
    """The values of the targets as a float64 array, padding left out."""
    return values.detach().double().numpy()[tokens.live_BxT.numpy()]


def softmax(rows):
    """Softmax of the last axis, float64."""
    powers = np.exp(rows - rows.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
