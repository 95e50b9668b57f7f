"""A GPT: QK-norm, squared-ReLU MLP, RMSNorm, zero-initialised outputs.

Sources: QK-norm, arXiv 2010.04245; squared ReLU, arXiv 2109.08668; RMSNorm, arXiv 1910.07467.
Positions are those of `trainer.models.positions`.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.config.schema import ModelConfig
from trainer.models.language_model import EPSILON, Block, LanguageModel, normalise
from trainer.models.positions import alibi_slopes, attention_bias, rope_turns, rotate

MLP_RATIO = 4


class Attention(nn.Module):
    """Causal self-attention over heads of size D = width / heads."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.width, 3 * config.width, bias=False)
        self.output = nn.Linear(config.width, config.width, bias=False)

    def forward(self, x_BxTxC: Tensor, turns_2xTxD: Tensor | None, bias: Tensor | None) -> Tensor:
        """Return the mixed values, BxTxC."""
        size_B, size_T, size_C = x_BxTxC.shape
        qkv = self.qkv(x_BxTxC).view(size_B, size_T, 3 * self.heads, -1).transpose(1, 2)
        # Queries and keys get the same treatment, so they get it in one go.
        qk, v = qkv.split([2 * self.heads, self.heads], dim=1)
        qk = normalise(qk)
        q, k = (qk if turns_2xTxD is None else rotate(qk, turns_2xTxD)).chunk(2, dim=1)
        mixed = F.scaled_dot_product_attention(q, k, v, bias, is_causal=bias is None)
        mixed_BxTxC = mixed.transpose(1, 2).reshape(size_B, size_T, size_C)
        return self.output(mixed_BxTxC)  # type: ignore[no-any-return]


class GPTBlock(Block):
    """Attention, then an MLP."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.attention_norm = nn.RMSNorm(config.width, EPSILON)
        self.attention = Attention(config)
        self.mlp_norm = nn.RMSNorm(config.width, EPSILON)
        self.mlp_input = nn.Linear(config.width, MLP_RATIO * config.width, bias=False)
        self.mlp_output = nn.Linear(MLP_RATIO * config.width, config.width, bias=False)

    def forward(self, x_BxTxC: Tensor, turns_2xTxD: Tensor | None, bias: Tensor | None) -> Tensor:
        """Return the residual stream after this block, BxTxC."""
        x_BxTxC = x_BxTxC + self.attention(self.attention_norm(x_BxTxC), turns_2xTxD, bias)
        hidden = F.relu(self.mlp_input(self.mlp_norm(x_BxTxC))).square()
        return x_BxTxC + self.mlp_output(hidden)  # type: ignore[no-any-return]

    def initialise(self, generator: torch.Generator) -> None:  # noqa: ARG002 - nothing is drawn
        """Set what writes to the residual stream to zero."""
        self.attention.output.weight.zero_()
        self.mlp_output.weight.zero_()

    def mixing_flops(self, context: int) -> float:
        """Return those of scores and weighted values: on average half the context is seen."""
        return 2 * 2 * self.attention.output.in_features * context / 2


class GPT(LanguageModel):
    """Attention within a document where documents are given, over the whole row otherwise."""

    turns_2xTxD: Tensor | None
    slopes_H: Tensor | None

    def __init__(self, config: ModelConfig, vocab_size: int) -> None:
        super().__init__(config, vocab_size, (GPTBlock(config) for _ in range(config.layers)))
        rope = config.positions == "rope"
        turns = rope_turns(config.context, config.width // config.heads) if rope else None
        slopes = None if rope else alibi_slopes(config.heads)
        self.register_buffer("turns_2xTxD", turns, persistent=False)
        self.register_buffer("slopes_H", slopes, persistent=False)

    def mix(self, x_BxTxC: Tensor, documents_BxT: Tensor | None) -> Tensor:
        """Return the residual stream after all blocks, BxTxC."""
        size_T = x_BxTxC.shape[1]
        turns = None if self.turns_2xTxD is None else self.turns_2xTxD[:, :size_T]
        bias = attention_bias(size_T, self.slopes_H, documents_BxT)
        for block in self.blocks:
            x_BxTxC = block(x_BxTxC, turns, bias)
        return x_BxTxC
