"""A GPT: rotary positions, QK-norm, squared-ReLU MLP, RMSNorm, zero-initialised outputs.

Sources: RoPE, arXiv 2104.09864; QK-norm, arXiv 2010.04245; squared ReLU, arXiv 2109.08668;
RMSNorm, arXiv 1910.07467.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.config import ModelConfig

ROPE_BASE = 10_000.0
MLP_RATIO = 4
EMBEDDING_STD = 0.02  # sets how fast embeddings turn: their length is divided out


class Attention(nn.Module):
    """Causal self-attention over heads of size D = width / heads."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.width, 3 * config.width, bias=False)
        self.output = nn.Linear(config.width, config.width, bias=False)

    def forward(self, x_BxTxC: Tensor, turns_2xTxD: Tensor) -> Tensor:
        """Return the mixed values, BxTxC."""
        size_B, size_T, size_C = x_BxTxC.shape
        qkv = self.qkv(x_BxTxC).view(size_B, size_T, 3 * self.heads, -1).transpose(1, 2)
        # Queries and keys get the same treatment, so they get it in one go.
        qk, v = qkv.split([2 * self.heads, self.heads], dim=1)
        q, k = rotate(normalise(qk), turns_2xTxD).chunk(2, dim=1)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        mixed_BxTxC = mixed.transpose(1, 2).reshape(size_B, size_T, size_C)
        return self.output(mixed_BxTxC)  # type: ignore[no-any-return]


class Block(nn.Module):
    """Attention, then an MLP, each on a normalised view of the residual stream."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.attention_norm = nn.RMSNorm(config.width)
        self.attention = Attention(config)
        self.mlp_norm = nn.RMSNorm(config.width)
        self.mlp_input = nn.Linear(config.width, MLP_RATIO * config.width, bias=False)
        self.mlp_output = nn.Linear(MLP_RATIO * config.width, config.width, bias=False)

    def forward(self, x_BxTxC: Tensor, turns_2xTxD: Tensor) -> Tensor:
        """Return the residual stream after this block, BxTxC."""
        x_BxTxC = x_BxTxC + self.attention(self.attention_norm(x_BxTxC), turns_2xTxD)
        hidden = F.relu(self.mlp_input(self.mlp_norm(x_BxTxC))).square()
        return x_BxTxC + self.mlp_output(hidden)  # type: ignore[no-any-return]


class GPT(nn.Module):
    """Token ids in, the logits of the next token out. The head is not tied to the embedding."""

    turns_2xTxD: Tensor

    def __init__(self, config: ModelConfig, vocab_size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.width)
        self.head = nn.Linear(config.width, vocab_size, bias=False)
        turns = rope_turns(config.context, config.width // config.heads)
        self.register_buffer("turns_2xTxD", turns, persistent=False)

    def forward(self, ids_BxT: Tensor) -> Tensor:
        """Return logits_BxTxV; T may be shorter than the context."""
        x_BxTxC = normalise(self.embedding(ids_BxT))
        turns = self.turns_2xTxD[:, : ids_BxT.shape[1]]
        for block in self.blocks:
            x_BxTxC = block(x_BxTxC, turns)
        return self.head(self.norm(x_BxTxC))  # type: ignore[no-any-return]


def build_model(config: ModelConfig, vocab_size: int, seed: int) -> GPT:
    """Return a GPT on the CPU whose parameters are a pure function of the arguments.

    The projections that write to the residual stream and the head start at zero: the untrained
    model is uniform over the vocabulary and its loss is ln(vocab_size), whatever the seed.
    """
    model = GPT(config, vocab_size)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        model.embedding.weight.normal_(0.0, EMBEDDING_STD, generator=generator)
        for module in model.modules():
            if isinstance(module, nn.Linear):
                module.weight.normal_(0.0, module.in_features**-0.5, generator=generator)
        for block in model.blocks:
            assert isinstance(block, Block)
            block.attention.output.weight.zero_()
            block.mlp_output.weight.zero_()
        model.head.weight.zero_()
    return model


def normalise(x: Tensor) -> Tensor:
    """Divide the last axis by its root mean square: RMSNorm without a gain."""
    return F.rms_norm(x, (x.shape[-1],))


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
