"""The loss of every target when the model sees the nearest tokens only."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from trainer.objectives.tokens import token_nll


@torch.no_grad()
def short_context_nll(
    forward: Callable[..., Tensor],
    inputs_BxT: Tensor,
    targets_BxT: Tensor,
    short: int,
    documents_BxT: Tensor | None = None,
) -> Tensor:
    """Return nll_BxT, without gradient, of targets that see `short` + 1 to 2 x `short` inputs.

    Inputs are cut into windows of 2 x `short`, one every `short`. A window scores its second half;
    the first one scores its first half too, so the first 2 x `short` targets of a row see all that
    there is. `forward` takes ids, and documents where there are some, and returns logits: it is
    called once, on about twice as many tokens as are scored. Its model has to be causal.
    """
    length = inputs_BxT.shape[1]
    if length <= 2 * short:
        return token_nll(_forward(forward, inputs_BxT, documents_BxT), targets_BxT)
    inputs_BxWx2S = _cut(inputs_BxT, short)
    targets_BxWx2S = _cut(targets_BxT, short)
    documents_Mx2S = None if documents_BxT is None else _cut(documents_BxT, short).flatten(0, 1)
    logits_Mx2SxV = _forward(forward, inputs_BxWx2S.flatten(0, 1), documents_Mx2S)
    logits_BxWx2SxV = logits_Mx2SxV.view(*inputs_BxWx2S.shape, -1)
    first_BxS = token_nll(logits_BxWx2SxV[:, 0, :short], targets_BxT[:, :short])
    rest_BxWS = token_nll(
        logits_BxWx2SxV[:, :, short:].flatten(1, 2), targets_BxWx2S[:, :, short:].flatten(1, 2)
    )
    return torch.cat([first_BxS, rest_BxWS], 1)[:, :length]


def _forward(forward: Callable[..., Tensor], ids: Tensor, documents: Tensor | None) -> Tensor:
    return forward(ids) if documents is None else forward(ids, documents)


def _cut(rows_BxT: Tensor, short: int) -> Tensor:
    """Return windows of 2 x `short`, one every `short`; rows are padded at their end."""
    missing = -rows_BxT.shape[1] % short
    return F.pad(rows_BxT, (0, missing)).unfold(1, 2 * short, short)
