"""What all architectures share: embedding, blocks along a residual stream, norm and head."""

from abc import abstractmethod
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.config.schema import ModelConfig

EMBEDDING_STD = 0.02  # sets how fast embeddings turn: their length is divided out
# Of every norm, whatever the precision: by default it would be that of the input's dtype.
EPSILON = torch.finfo(torch.float32).eps
PASSES = 3  # a backward pass costs twice the forward pass


class Block(nn.Module):
    """One layer: adds to the residual stream what it makes of a normalised view of it."""

    @abstractmethod
    def initialise(self, generator: torch.Generator) -> None:
        """Give its parameters their first values, after all nn.Linear were drawn."""

    def mixing_flops(self, context: int) -> float:  # noqa: ARG002 - of the blocks that have some
        """Return FLOPs a token of the forward pass beyond those with its own matrices."""
        return 0.0


class LanguageModel(nn.Module):
    """Token ids in, the logits of the next token out. The head is not tied to the embedding."""

    def __init__(self, config: ModelConfig, vocab_size: int, blocks: Iterable[Block]) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, config.width)
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.RMSNorm(config.width, EPSILON)
        self.head = nn.Linear(config.width, vocab_size, bias=False)

    def forward(self, ids_BxT: Tensor, documents_BxT: Tensor | None = None) -> Tensor:
        """Return logits_BxTxV; T may be shorter than the context.

        `documents_BxT` numbers the documents of a row, see `trainer.models.positions`.
        """
        return self.head(self.encode(ids_BxT, documents_BxT))  # type: ignore[no-any-return]

    def encode(self, ids_BxT: Tensor, documents_BxT: Tensor | None = None) -> Tensor:
        """Return the normalised hidden states that the head reads, BxTxC."""
        x_BxTxC = normalise(self.embedding(ids_BxT))
        return self.norm(self.mix(x_BxTxC, documents_BxT))  # type: ignore[no-any-return]

    def mix(self, x_BxTxC: Tensor, documents_BxT: Tensor | None) -> Tensor:
        """Return the residual stream after all blocks, BxTxC."""
        assert documents_BxT is None
        for block in self.blocks:
            x_BxTxC = block(x_BxTxC)
        return x_BxTxC

    @torch.no_grad()
    def initialise(self, generator: torch.Generator) -> None:
        """Draw all parameters from `generator`; the head is zero."""
        self.embedding.weight.normal_(0.0, EMBEDDING_STD, generator=generator)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                module.weight.normal_(0.0, module.in_features**-0.5, generator=generator)
        for block in self.blocks:
            assert isinstance(block, Block)
            block.initialise(generator)
        self.head.weight.zero_()

    def flops_per_token(self, context: int) -> float:
        """Return FLOPs that a token in a window of `context` costs, forward and backward.

        A number of a matrix is used once a token, in a multiplication and an addition; rows of the
        embedding are looked up. Element-wise work is not counted.
        """
        matrices = sum(p.numel() for p in self.parameters() if p.ndim > 1)
        flops = 2.0 * (matrices - self.embedding.weight.numel())
        for block in self.blocks:
            assert isinstance(block, Block)
            flops += block.mixing_flops(context)
        return PASSES * flops


def normalise(x: Tensor) -> Tensor:
    """Divide the last axis by its root mean square: RMSNorm without a gain, arXiv 1910.07467."""
    return F.rms_norm(x, (x.shape[-1],), eps=EPSILON)
