"""Objectives: how the losses of a batch's tokens become the one number that is minimised.

An objective returns a term for every target, 0 at padding. What is minimised is their sum over the
number of targets of the *global* batch (all micro-batches, all processes), for every objective, so
that none depends on how a batch is cut. Objectives that weigh targets by something other than the
shards' weights scale to a mean of 1 over the global batch where their docstring says so: they then
share one learning rate with `plain`.

Weights are data: no gradient flows through any of them. `falpha` alone is a loss of another shape.
What is known of each beside its formula: `trainer.objectives.registry`.
"""

import torch
from torch import Tensor

from trainer.objectives.registry import (
    CvarKnobs,
    FalphaKnobs,
    FocalKnobs,
    LongceKnobs,
    MileKnobs,
    RunningKnobs,
    SelectiveKnobs,
)
from trainer.objectives.tokens import Tokens, scale, top


def plain(tokens: Tokens) -> Tensor:
    """Return the negative log-likelihoods: every target weighs 1."""
    return tokens.nll_BxT


def weighted(tokens: Tokens) -> Tensor:
    """Return each loss times the shards' weight, whose mean is 1 over the training split.

    Not scaled to a batch: one that holds more weight than its tokens pulls harder, as it should.
    """
    return tokens.nll_BxT * tokens.weights_BxT


def face(tokens: Tokens) -> Tensor:
    """Weigh a target by 1 - f / max f, f the count of its type in all batches before this one.

    Frequency-aware cross entropy, Jiang et al. 2019 (arXiv 1902.09191), with counts of targets.
    As there, weights average 1 over the *vocabulary*. Over targets they average less, for common
    types weigh least. All are 1 while all types were seen equally often, as before the first batch.
    """
    assert tokens.types is not None
    counts_V = tokens.types.counts_V.to(tokens.nll_BxT.dtype)
    rarity_V = 1 - counts_V / counts_V.max().clamp_min(1)
    mean = rarity_V.mean()
    weights_V = torch.where(mean > 0, rarity_V / mean, 1.0)
    return tokens.nll_BxT * weights_V[tokens.targets_BxT.clamp_min(0)]


def focal(tokens: Tokens) -> Tensor:
    """Weigh a target by (1 - p)^gamma, scaled to mean 1; p is the model's probability of it.

    Lin et al. 2017 (arXiv 1708.02002), detached and scaled as MiLe's authors do (arXiv 2310.19531).
    """
    doubt_BxT = -torch.expm1(-tokens.nll_BxT.detach()).clamp_max(0)
    return tokens.nll_BxT * scale(doubt_BxT ** tokens.settings.of(FocalKnobs).focal_gamma, tokens)


def mile(tokens: Tokens) -> Tensor:
    """Weigh a target by (1 + H)^gamma, scaled to mean 1; H is the entropy of the prediction, nats.

    MiLe, Su et al. 2024 (arXiv 2310.19531).
    """
    assert tokens.entropy_BxT is not None
    weights_BxT = (1 + tokens.entropy_BxT.detach()) ** tokens.settings.of(MileKnobs).mile_gamma
    return tokens.nll_BxT * scale(weights_BxT, tokens)


def running(tokens: Tokens) -> Tensor:
    """Weigh a target by the running mean loss of its type, scaled to mean 1, blended with 1.

    w = a L / mean L + 1 - a, where L is of the batches before this one; a is `running_blend`.
    From an unreviewed manuscript of 2026 ("EMA per-token loss weighting").
    """
    assert tokens.types is not None
    losses_BxT = tokens.types.losses_V[tokens.targets_BxT.clamp_min(0)].to(tokens.nll_BxT.dtype)
    blend = tokens.settings.of(RunningKnobs).running_blend
    return tokens.nll_BxT * (blend * scale(losses_BxT, tokens) + (1 - blend))


def selective(tokens: Tokens) -> Tensor:
    """Train on the share of targets whose loss exceeds the frozen reference's by most.

    They weigh 1 / share, all others 0: mean 1. Rho-1, Lin et al. 2024 (arXiv 2404.07965).
    """
    assert tokens.reference_BxT is not None
    share = tokens.settings.of(SelectiveKnobs).select_share
    excess_BxT = tokens.nll_BxT.detach() - tokens.reference_BxT
    return tokens.nll_BxT * top(excess_BxT, share, tokens) / share


def cvar(tokens: Tokens) -> Tensor:
    """Train on the share of targets of the highest loss: the mean is that of the upper tail.

    They weigh 1 / share, all others 0: mean 1. The sum over count is the conditional value at risk
    of Rockafellar and Uryasev 2000, min over c of c + mean(max(nll - c, 0)) / share, and its
    gradient: exact even if share x count is not a whole number. Language models: ESLM
    (arXiv 2505.19893).
    """
    share = tokens.settings.of(CvarKnobs).cvar_share
    return tokens.nll_BxT * top(tokens.nll_BxT.detach(), share, tokens) / share


def falpha(tokens: Tokens) -> Tensor:
    """Return (1 - p^alpha) / alpha: -log p at alpha 0, 1 - p at alpha 1.

    The gradient on the target's logit is p^alpha (1 - p) instead of 1 - p: above 0, a target that
    the model finds unlikely pulls less. Not scaled. Li et al. 2025 (arXiv 2510.00526).
    """
    alpha = tokens.settings.of(FalphaKnobs).falpha_alpha
    return -torch.expm1(-alpha * tokens.nll_BxT) / alpha if alpha else tokens.nll_BxT


def longce(tokens: Tokens) -> Tensor:
    """Weigh a target by min(p_long / p_short, cap): by what the far context does for it.

    LongCE, Fang et al. 2024 (arXiv 2410.23771), scored by the model that trains. As there, weights
    are not scaled. The first targets of a window, whose short context is all there is
    (`trainer.objectives.short_context`), weigh 1.
    """
    assert tokens.short_BxT is not None
    gain_BxT = tokens.short_BxT - tokens.nll_BxT.detach()
    places_T = torch.arange(gain_BxT.shape[1], device=gain_BxT.device)
    # Set, not computed: two passes of one context need not agree to the last bit.
    gain_BxT = torch.where(places_T < 2 * tokens.settings.longce_context, 0.0, gain_BxT)
    return tokens.nll_BxT * gain_BxT.exp().clamp_max(tokens.settings.of(LongceKnobs).longce_cap)
