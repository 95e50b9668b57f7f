"""How attention knows the position of a token, and which tokens it may see.

Sources: RoPE, arXiv 2104.09864; ALiBi, arXiv 2108.12409.

Documents of a packed row are told apart by numbers, documents_BxT: any ints, equal ones mean the
same document. Both kinds of positions see distances only, so that a document's states in a packed
row, with the others masked, are those that it has alone.
"""

import math

import torch
from torch import Tensor

ROPE_BASE = 10_000.0


def rope_turns(context: int, size: int) -> Tensor:
    """Return cosine and sine of every position's angles, 2 x T x D; the halves of D repeat."""
    speeds = torch.pow(ROPE_BASE, -torch.arange(0, size, 2, dtype=torch.float64) / size)
    angles = torch.outer(torch.arange(context, dtype=torch.float64), speeds).repeat(1, 2)
    return torch.stack([angles.cos(), angles.sin()]).float()


def rotate(x_BxHxTxD: Tensor, turns_2xTxD: Tensor) -> Tensor:
    """Turn each pair (i, i + D/2) by its position's angle: dot products see distances only."""
    cos, sin = turns_2xTxD.to(x_BxHxTxD.dtype).unbind()
    first, second = x_BxHxTxD.chunk(2, dim=-1)
    return x_BxHxTxD * cos + torch.cat([-second, first], dim=-1) * sin


def alibi_slopes(heads: int) -> Tensor:
    """Return what each head loses of a score at one token's distance, H.

    For a power of two they are 2^(-8 h / H), h from 1 to H. Other counts take the slopes of the
    power below, then every second one of the power above: the authors' rule.
    """
    below = 1 << heads.bit_length() - 1
    powers = [8 * h / below for h in range(1, below + 1)]
    powers += [4 * h / below for h in range(1, 2 * (heads - below), 2)]
    return torch.pow(2.0, -torch.tensor(powers, dtype=torch.float64)).float()


def attention_bias(
    size_T: int, slopes_H: Tensor | None, documents_BxT: Tensor | None
) -> Tensor | None:
    """Return what scaled_dot_product_attention takes as attn_mask; None is plain causal attention.

    Without slopes it is boolean, Bx1xTxT, true where a query (the row) sees a key. With slopes it
    is added to the scores, HxTxT or BxHxTxT: minus slope times distance, -inf where unseen.
    """
    given = slopes_H if documents_BxT is None else documents_BxT
    if given is None:
        return None
    positions_T = torch.arange(size_T, device=given.device)
    distances_TxT = positions_T[:, None] - positions_T
    seen = distances_TxT >= 0
    if documents_BxT is not None:
        seen = seen & (documents_BxT[:, None, :, None] == documents_BxT[:, None, None, :])
    if slopes_H is None:
        return seen
    bias_HxTxT = -slopes_H[:, None, None] * distances_TxT
    return bias_HxTxT.masked_fill(~seen, -math.inf)
